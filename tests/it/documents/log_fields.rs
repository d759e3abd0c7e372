//! The names of the fields in the calls of tracing's macros.

use std::collections::BTreeSet;

const MACROS: [&str; 6] = ["info_span!(", "info!(", "warn!(", "error!(", "debug!(", "trace!("];

/// Every field that a line of the log may have.
pub(super) fn of(code: &str) -> BTreeSet<String> {
    let calls = MACROS.iter().flat_map(|name| code.match_indices(name).map(|(at, name)| &code[at + name.len()..]));
    calls.flat_map(arguments).filter_map(|argument| name(argument.trim())).collect()
}

/// The arguments of a call, given the code after its opening bracket.
pub(super) fn arguments(code: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0, false, false);
    for (at, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            ')' if depth == 0 => {
                found.push(&code[start..at]);
                return found;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&code[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// `name = value`, or a variable alone, perhaps with `%` or `?` before it.
fn name(argument: &str) -> Option<String> {
    let word = argument.trim_start_matches(['%', '?']);
    let length = word.find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c))).unwrap_or(word.len());
    let (name, rest) = word.split_at(length);
    let is_field = rest.is_empty() || rest.trim_start().starts_with("= ");
    (is_field && name.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| name.to_owned())
}

#[test]
fn fields_are_found_in_every_form() {
    let code =
        r#"tracing::warn!(tries, %error, jobId = id(1, 2), why = ?it, "a, (b): {c}", d); info!("e = {}", f(g));"#;
    assert_eq!(of(code), ["d", "error", "jobId", "tries", "why"].map(str::to_owned).into());
}
