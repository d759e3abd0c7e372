//! The tables of the documents, compared with their sources: each row has a source, and each source has a row.

mod code;
mod configuration;
mod costs;
mod log_fields;
mod log_lines;
mod metrics;
mod operating;
mod other_languages;
mod permissions;
mod table;
mod template;
mod template_file;
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::source::{product_files, without_comments, without_unit_tests};

/// The text of a file, by its path in the repository.
fn file(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code of the Rust files below a folder or file of the repository, without comments and unit tests.
fn code(path: &str) -> String {
    let files = product_files(&root().join(path));
    assert!(!files.is_empty(), "{path} has no Rust file");
    files.iter().map(|file| without_comments(without_unit_tests(&fs::read_to_string(file).unwrap()))).collect()
}

/// The README names the length of the example of a service.
#[test]
fn readme_counts_the_lines_of_the_python_service() {
    let text = file("docs/actions/http.md");
    let service = text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let claim = format!("a complete one in Python has {} lines", service.lines().count());
    let readme = file("README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&claim), "README.md must say: {claim}");
}

/// Names that are in one set and not in the other are a mistake, of the document or of the code.
fn assert_same<T: AsRef<str>, U: AsRef<str>>(
    documented: impl IntoIterator<Item = T>,
    existing: impl IntoIterator<Item = U>,
    place: &str,
) {
    let documented: BTreeSet<_> = documented.into_iter().map(|name| name.as_ref().to_owned()).collect();
    let existing: BTreeSet<_> = existing.into_iter().map(|name| name.as_ref().to_owned()).collect();
    assert!(!existing.is_empty(), "{place}: found nothing to compare with");
    let missing: Vec<_> = existing.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&existing).collect();
    assert!(missing.is_empty() && stale.is_empty(), "{place}: add {missing:?}, remove {stale:?}");
}
