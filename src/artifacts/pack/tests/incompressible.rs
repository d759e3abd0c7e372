//! Content that does not compress is stored within a deflated stream, block by block.

use super::*;

/// The lengths of the archives of one file with zlib's level 6 and with ours.
fn lengths(content: &[u8]) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), content).unwrap();
    let archive = packed(2, folder.path());
    assert!(files(&archive) == [("file".to_owned(), content.to_vec())]);
    (sizes::zlib(content).len(), archive.len())
}

#[test]
fn noise_hardly_grows() {
    for length in [10_000, BLOCK_BYTES - 1, BLOCK_BYTES, 1_000_000] {
        let (_, ours) = lengths(&noise(1, length));
        // Five bytes for each stored block, and the headers.
        assert!(ours <= length + length / 5_000 + 200, "{length} bytes became {ours}");
    }
}

#[test]
fn text_after_noise_is_compressed() {
    let content = [noise(1, 600_000), text(1, 3_000_000)].concat();
    let (zlib, ours) = lengths(&content);
    assert!(ours * 100 <= zlib * 105, "zlib makes {zlib} bytes, and the worker {ours}");
}

#[test]
fn a_little_text_within_noise_is_compressed() {
    // The text lies where the quick trial of a block does not look.
    let blocks =
        (0..8).flat_map(|seed| [noise(seed, 20_000), text(seed, 30_000), noise(seed + 8, BLOCK_BYTES - 50_000)]);
    let (zlib, ours) = lengths(&blocks.collect::<Vec<_>>().concat());
    assert!(ours * 100 <= zlib * 105, "zlib makes {zlib} bytes, and the worker {ours}");
}

#[test]
fn repeated_noise_is_compressed() {
    let (zlib, ours) = lengths(&noise(1, 20_000).repeat(150));
    assert!(ours * 100 <= zlib * 105, "zlib makes {zlib} bytes, and the worker {ours}");
}
