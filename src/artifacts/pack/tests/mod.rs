//! Tests of packing without S3. `unpack/tests/round_trip.rs` has those that unpack again.

use std::io::{Cursor, Read as _};
use std::path::Path;

use super::super::stop::Stop;
use super::*;

mod changing;
mod in_parallel;
mod incompressible;
mod sizes;

const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 0, max_entries: 1000 };

/// Packs a folder with this many threads.
fn packed(threads: usize, root: &Path) -> Vec<u8> {
    let mut archive = Vec::new();
    pack_with(threads, root, &mut archive, LIMITS, &Stop::new()).unwrap();
    archive
}

/// The files of an archive, as another library reads them with their checksums.
fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let count = archive.len();
    let read = |at| {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    };
    (0..count).map(read).collect()
}

/// Bytes that do not compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| dice.u8(..)).collect()
}

/// Lines that look like source code: few words, with numbers between them.
fn text(seed: u64, length: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "let ", "self.", "return ", "&mut ", "    ", "fn ", "(value)", ";\n", " = ", "String", "match ", " => ", "{\n",
        "}\n", "Option<", "> ",
    ];
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut text = Vec::new();
    while text.len() < length {
        text.extend(WORDS[dice.usize(..WORDS.len())].as_bytes());
        if dice.u8(..8) == 0 {
            text.extend(dice.u16(..).to_string().as_bytes());
        }
    }
    text.truncate(length);
    text
}
