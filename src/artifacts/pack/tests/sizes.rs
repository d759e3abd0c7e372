//! A zip is at most 5 % longer than zlib's level 6 makes it.

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

pub(super) fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The deflated content is all but the headers of an archive.
#[track_caller]
fn check(contents: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    for (number, content) in contents.iter().enumerate() {
        std::fs::write(folder.path().join(number.to_string()), content).unwrap();
    }
    let archive = packed(2, folder.path());
    let mut read = ::zip::ZipArchive::new(Cursor::new(&archive)).unwrap();
    let ours: u64 = (0..read.len()).map(|at| read.by_index(at).unwrap().compressed_size()).sum();
    let zlib: usize = contents.iter().map(|content| zlib(content).len()).sum();
    assert!(ours * 100 <= zlib as u64 * 105, "zlib makes {zlib} bytes, and the worker {ours}");
}

#[test]
fn small_files_are_at_most_5_percent_longer_than_by_zlib() {
    let source: Vec<_> =
        [include_bytes!("../mod.rs").as_slice(), include_bytes!("../../upload.rs"), include_bytes!("../zip.rs")]
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
    check(&source);
    check(&(0..50).map(|seed| text(seed, 500 * seed as usize)).collect::<Vec<_>>());
}

#[test]
fn long_files_are_at_most_5_percent_longer_than_by_zlib() {
    check(&[text(1, 4_000_000)]);
    let half: Vec<_> = (0..100).flat_map(|seed| [noise(seed, 10_000), text(seed, 30_000)]).collect();
    check(&[half.concat()]);
}

#[test]
fn repeated_records_are_at_most_5_percent_longer_than_by_zlib() {
    let template = String::from_utf8(text(1, 2_500)).unwrap();
    let records = (0..2_000).map(|number: u32| format!("{}\n{template}\n", number.wrapping_mul(2_654_435_761)));
    check(&[records.collect::<String>().into_bytes()]);
}

#[test]
fn a_block_costs_at_most_50_bytes() {
    let content = vec![0; 20 * BLOCK_BYTES];
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zeros"), &content).unwrap();
    let (zlib, ours) = (zlib(&content).len(), packed(2, folder.path()).len());
    assert!(ours <= zlib + 20 * 50, "zlib makes {zlib} bytes, and the worker {ours}");
}
