//! The workers in other languages, which the document shows as a whole.

use std::fs;

use super::{assert_same, file, root};

const DOCUMENT: &str = "docs/other-languages.md";
const FOLDER: &str = "examples/other-languages";

/// The language of the blocks, which is also the folder, and the extension of its files.
const WORKERS: [(&str, &str); 2] = [("python", "py"), ("typescript", "ts")];

#[test]
fn document_shows_the_workers_as_they_are() {
    let text = file(DOCUMENT);
    for (language, extension) in WORKERS {
        let mut shown = Vec::new();
        for section in text.split("\n### `").skip(1) {
            let (name, rest) = section.split_once('`').unwrap();
            let Some(block) = rest.split(&format!("\n```{language}\n")).nth(1) else { continue };
            let block = block.split("```").next().unwrap();
            let path = format!("{FOLDER}/{language}/{name}");
            assert!(block == file(&path), "{DOCUMENT} must show {path} as it is");
            shown.push(name.to_owned());
        }
        let folder = fs::read_dir(root().join(FOLDER).join(language)).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let code = names.filter(|name| name.ends_with(&format!(".{extension}")));
        assert_same(shown, code, DOCUMENT);
    }
}

/// A variable that a worker reads has a row.
#[test]
fn variables_of_the_workers_are_in_a_table() {
    let documented = super::table::first_column(DOCUMENT, "variable");
    for (language, extension) in WORKERS {
        let mut read = Vec::new();
        for name in ["worker", "artifacts", "action"] {
            let code = file(&format!("{FOLDER}/{language}/{name}.{extension}"));
            let places = code.split("environ.get(\"").skip(1).chain(code.split("process.env.").skip(1));
            let places = places.chain(code.split("environ[\"").skip(1));
            read.extend(
                places.map(|rest| rest.split(|c: char| c != '_' && !c.is_ascii_uppercase()).next().unwrap().to_owned()),
            );
        }
        let own = documented.iter().filter(|name| *name != "AWS_…");
        assert_same(own, read, DOCUMENT);
    }
}
