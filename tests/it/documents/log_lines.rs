//! docs/logs.md, compared with the messages of tracing's macros in the code.

use std::collections::BTreeMap;
use std::fs;

use super::log_fields::arguments;
use super::root;
use super::table::{first_rows, names};
use crate::support::source::{product_files, without_comments, without_unit_tests};

const DOCUMENT: &str = "docs/logs.md";

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Columns of a row: message, level, meaning, cause, remedy.
const COLUMNS: usize = 5;

/// The lines that the code logs, as `LEVEL message`, each with a file that logs it.
fn logged() -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for file in product_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        for line in of(&without_comments(without_unit_tests(&text))) {
            lines.insert(line, name.clone());
        }
    }
    lines
}

fn of(code: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for level in LEVELS {
        let call = format!("{level}!(");
        for (at, _) in code.match_indices(&call) {
            // `compile_error!` is another macro.
            let is_part = code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let arguments = if is_part { Vec::new() } else { arguments(&code[at + call.len()..]) };
            let message = arguments.iter().find_map(|argument| literal(argument.trim()));
            lines.extend(message.map(|message| format!("{} {message}", level.to_uppercase())));
        }
    }
    lines
}

/// The text that a string literal stands for.
fn literal(argument: &str) -> Option<String> {
    let inner = argument.strip_prefix('"')?.strip_suffix('"')?;
    let mut parts = inner.split("\\\n");
    let first = parts.next()?.to_owned();
    Some(parts.fold(first, |all, part| all + part.trim_start()))
}

#[test]
fn each_line_of_the_log_has_a_row_and_each_row_a_line() {
    let mut undocumented = logged();
    assert!(undocumented.len() > 100, "found only {} lines in src", undocumented.len());
    let mut problems = Vec::new();
    for row in first_rows(DOCUMENT, "message") {
        let message = names(&row[0]).concat();
        if row.len() != COLUMNS || row.iter().any(String::is_empty) {
            problems
                .push(format!("the row of `{message}` needs {COLUMNS} cells: message, level, meaning, cause, remedy"));
        }
        for level in row.get(1).map_or("", String::as_str).split(", ") {
            if undocumented.remove(&format!("{level} {message}")).is_none() {
                problems
                    .push(format!("remove the row of `{message}` at {level}: no code logs it, or two rows have it"));
            }
        }
    }
    problems.extend(undocumented.iter().map(|(line, file)| {
        let (level, message) = line.split_once(' ').unwrap();
        format!("add a row: | `{message}` | {level} | meaning | cause | remedy | (logged by {file})")
    }));
    assert!(problems.is_empty(), "{DOCUMENT}:\n{}", problems.join("\n"));
}

#[test]
fn messages_are_found_in_every_form() {
    let code = "tracing::warn!(tries, %error, id = id(\"x\"), \"a, (b): {c}\", d); compile_error!(\"no\");
        info!(
            why = ?it,
            \"one \\
             two\"
        );";
    assert_eq!(of(code), ["WARN a, (b): {c}", "INFO one two"]);
}
