//! Libraries, modules and fuzz targets.

use std::collections::BTreeSet;
use std::fs;

use super::table::{first_column, names, rows};
use super::{assert_same, code, file, root};

#[test]
fn libraries_are_in_a_table() {
    let manifests = [
        "Cargo.toml",
        "codepipeline-local/Cargo.toml",
        "examples/own-action/Cargo.toml",
        "simulation/Cargo.toml",
        "fuzz/Cargo.toml",
    ];
    let dependencies: BTreeSet<_> = manifests.iter().flat_map(|manifest| dependencies(&file(manifest))).collect();
    let document = "docs/libraries.md";
    let text = file(document);
    let cells = text.lines().filter(|line| line.starts_with("| `")).map(|line| line.split(" | ").next().unwrap());
    // A feature of `flate2`.
    let documented = cells.flat_map(names).filter(|name| name != "zlib-rs");
    assert_same(documented, dependencies, document);
}

/// The names below `[dependencies]` and `[dev-dependencies]`, but for the workspace's own.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut within = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies]");
        } else if within && !line.contains("path = ") {
            let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            found.extend((!name.is_empty()).then_some(name));
        }
    }
    found
}

#[test]
fn modules_are_on_the_map() {
    let entries = fs::read_dir(root().join("src")).unwrap();
    let modules = entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    let modules = modules.filter(|name| name != "lib");
    let document = "docs/architecture.md";
    let documented = first_column(document, "module").into_iter().map(|name| name.replace(".rs", ""));
    assert_same(documented, modules, document);
}

#[test]
fn fuzz_targets_are_in_a_table() {
    let entries = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    let rust = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let targets = rust.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let document = "docs/testing.md";
    let rows = rows(document, "ten minutes each");
    let documented = rows.iter().map(|row| names(&row[0])[0].rsplit(' ').next().unwrap().to_owned());
    assert_same(documented, targets, document);
}

#[test]
fn tables_for_authors_of_actions_match_the_code() {
    let document = "docs/actions/rust.md";
    let (actions, turn, served) =
        (code("src/actions/mod.rs"), code("src/actions/turn.rs"), code("src/actions/served.rs"));
    let action = block(&actions, "pub trait Action:");
    assert_same(first_column(document, "method of `Action`"), words(action, "    fn "), document);
    let turn = [words(block(&turn, "pub struct Turn "), "    pub "), words(block(&turn, "impl Turn "), "    pub fn ")];
    assert_same(first_column(document, "part of `Turn`"), turn.concat(), document);
    let options = words(block(&served, "impl Served "), "    pub fn ").into_iter().filter(|name| name != "new");
    assert_same(first_column(document, "method"), options, document);
}

/// The lines from the one that begins like this to the end of its block.
fn block<'c>(code: &'c str, start: &str) -> &'c str {
    let (_, rest) = code.split_once(start).unwrap_or_else(|| panic!("the code has no {start}"));
    rest.split_once("\n}\n").unwrap().0
}

/// The words that follow `before` at the beginning of a line.
fn words(lines: &str, before: &str) -> Vec<String> {
    let rest = lines.lines().filter_map(|line| line.strip_prefix(before));
    let words = rest.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>());
    words.filter(|word| word != "fn" && !word.is_empty()).collect()
}
