//! The tools that the tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Each tool, and the arguments that make it print its version.
const TOOLS: [(&str, &[&str]); 8] = [
    ("tar", &["--version"]),
    ("bsdtar", &["--version"]),
    ("python3", &["--version"]),
    ("7z", &["i"]),
    ("java", &["--version"]),
    ("git", &["--version"]),
    ("zip", &["-v"]),
    ("unzip", &["-v"]),
];

/// The tools with their versions.
///
/// Fails with the names of all missing tools.
pub(crate) fn versions() -> Vec<(&'static str, String)> {
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for (tool, arguments) in TOOLS {
        match Command::new(tool).args(arguments).output() {
            Ok(output) => found.push((tool, first_number(&String::from_utf8_lossy(&output.stdout)))),
            Err(error) => missing.push(format!("{tool}: {error}")),
        }
    }
    assert!(missing.is_empty(), "these tools are missing; .ci/archives installs them on Debian: {missing:?}");
    found
}

/// The first word that looks like a version.
fn first_number(text: &str) -> String {
    let mut words = text.split(|character: char| character.is_whitespace() || character == ',');
    words
        .find(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or("?")
        .to_owned()
}

/// A file of this test.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/archives").join(name)
}

/// The tool, with names in UTF-8 and times in UTC.
pub(crate) fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}
