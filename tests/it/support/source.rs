//! The project's own Rust files, for the tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The Rust files below a folder, sorted by path. A file counts as a folder with one file.
pub(crate) fn rust_files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return path
            .extension()
            .is_some_and(|extension| extension == "rs")
            .then(|| path.to_owned())
            .into_iter()
            .collect();
    }
    let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| rust_files(entry)).collect()
}

/// The same without unit tests, which stand in files and folders named `tests`.
pub(crate) fn product_files(path: &Path) -> Vec<PathBuf> {
    let is_of_tests =
        |file: &Path| file.strip_prefix(path).unwrap().iter().any(|part| part == "tests.rs" || part == "tests");
    rust_files(path).into_iter().filter(|file| !is_of_tests(file)).collect()
}

/// The text without lines that are comments.
pub(crate) fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).fold(String::new(), |all, line| all + line + "\n")
}

/// The text before the module of unit tests, which is a file's last item.
pub(crate) fn without_unit_tests(text: &str) -> &str {
    let begins = |at: &usize| text[*at..].lines().nth(1).is_some_and(|line| line.ends_with("mod tests {"));
    text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(begins).map_or(text, |at| &text[..at])
}

#[test]
fn unit_tests_of_any_visibility_are_cut_off() {
    for visibility in ["", "pub(super) ", "pub(crate) "] {
        let text = format!("#[cfg(test)]\nuse one;\nfn two() {{}}\n#[cfg(test)]\n{visibility}mod tests {{\n}}\n");
        assert_eq!(without_unit_tests(&text), "#[cfg(test)]\nuse one;\nfn two() {}\n");
    }
    assert_eq!(without_unit_tests("fn two() {}\n"), "fn two() {}\n");
}
