//! Zips of artifacts.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{ZipArchive, ZipWriter};

use super::wait::done;

/// A zip of these files, each with a path and its content.
///
/// # Panics
/// If a path can't be in a zip.
pub fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        done("writing the zip", archive.start_file(*name, SimpleFileOptions::default()));
        done("writing the zip", archive.write_all(content.as_bytes()));
    }
    done("writing the zip", archive.finish()).into_inner()
}

/// The files of a zip: their paths and contents.
///
/// # Panics
/// If the bytes are not a zip.
pub fn unzip(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = done("reading the zip", ZipArchive::new(Cursor::new(zip)));
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = done("reading the zip", archive.by_index(index));
        if file.is_file() {
            let name = done("reading the zip", file.name()).into_owned();
            let mut content = Vec::new();
            done("reading the zip", file.read_to_end(&mut content));
            files.insert(name, content);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_survive_a_zip() {
        let files = unzip(&zip(&[("a.txt", "one"), ("b/c.txt", "")]));
        assert_eq!(files, BTreeMap::from([("a.txt".to_owned(), b"one".to_vec()), ("b/c.txt".to_owned(), Vec::new())]));
    }
}
