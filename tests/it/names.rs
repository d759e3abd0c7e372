//! The names of tests are short, so that a list of them is easy to read.

use std::fs;
use std::path::Path;

use crate::support::source::rust_files;

const LONGEST: usize = 60;

/// The names of the functions under `#[test]` or `#[tokio::test]`, with other attributes in between.
fn tests(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in code.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some((name, _)) = declared.and_then(|rest| rest.split_once(['(', '<']))
            && std::mem::take(&mut is_test)
        {
            names.push(name);
        }
    }
    names
}

#[test]
fn test_names_have_at_most_60_characters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut long) = (0, Vec::new());
    for folder in ["src", "tests", "examples", "simulation", "codepipeline-local", "fuzz"] {
        for file in rust_files(&root.join(folder))
            .iter()
            .filter(|file| !file.strip_prefix(root).unwrap().components().any(|part| part.as_os_str() == "target"))
        {
            let code = fs::read_to_string(file).unwrap();
            let names = tests(&code);
            found += names.len();
            let too_long = names.iter().filter(|name| name.len() > LONGEST);
            long.extend(too_long.map(|name| format!("{}: {name} has {} characters", file.display(), name.len())));
        }
    }
    assert!(found > 500, "found only {found} tests");
    assert!(long.is_empty(), "shorten to {LONGEST} characters: {long:#?}");
}

#[test]
fn tests_are_found_by_their_attributes() {
    let code = "#[test]\nfn first() {}\nfn helper() {}\n    #[tokio::test(start_paused = true)]\n    #[cfg(unix)]\n    async fn second() {}";
    assert_eq!(tests(code), ["first", "second"]);
}
