//! Entries of a zip that are unpacked whole in memory, those that stream, and those at the border. Each gives the same content or
//! the same problem.

use std::io::Write;

use super::super::zip::{MAX_WHOLE_BYTES, MAX_WINDOW_BYTES};
use super::craft::{Crafted, deflated, file, folder, link, zip};
use super::*;

const DAMAGED: &str = "is truncated, or its compressed data is damaged";

/// Content that does not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(1).fill(&mut bytes);
    bytes
}

/// A deflated entry that is unpacked whole, and one that streams.
fn small_and_large() -> [Crafted; 2] {
    [deflated("a", &noise(1000)), deflated("a", &noise(MAX_WINDOW_BYTES as usize + 1))]
}

#[track_caller]
fn assert_content(entry: Crafted, expected: &[u8]) {
    // A second entry shows that a thread continues after any kind of entry.
    let tree = unpacked(zip(&[entry, deflated("z", b"after it")]));
    assert!(matches!(&tree["a"], Node::File(0o644, content) if content == expected));
    assert_eq!(tree["z"], Node::File(0o644, b"after it".to_vec()));
}

#[test]
fn wrong_unpacked_sizes_do_not_matter() {
    for content in [&b""[..], &noise(1000), &[7; 100_000], &noise(MAX_WINDOW_BYTES as usize + 1)] {
        let honest = deflated("a", content);
        let size = honest.unpacked;
        for unpacked in [0, 1, size.saturating_sub(1), size, size + 1, 3 * size, 1 << 21, 1 << 22, u32::MAX - 1] {
            assert_content(Crafted { unpacked, ..honest.clone() }, content);
        }
    }
}

#[test]
fn wrong_checksums_are_found_at_every_size() {
    for entry in small_and_large() {
        let wrong = Crafted { crc: entry.crc ^ 1, ..entry };
        let lying = Crafted { unpacked: 10, ..wrong.clone() };
        for entry in [wrong, lying] {
            assert_refused(zip(&[entry]), "`a` does not match its checksum");
        }
    }
    for length in [10, MAX_WINDOW_BYTES as usize + 1] {
        assert_refused(zip(&[Crafted { crc: 1, ..file("a", &noise(length)) }]), "`a` does not match its checksum");
    }
}

#[test]
fn truncated_data_is_found_at_every_size() {
    for entry in small_and_large() {
        for missing in [1, entry.body.len() / 2, entry.body.len()] {
            let mut cut = entry.clone();
            cut.body.truncate(entry.body.len() - missing);
            cut.packed -= u32::try_from(missing).unwrap();
            // Without data, a claimed size of 0 makes an empty file, whose checksum is wrong.
            let text = refused(zip(&[cut, file("z", &[0; 100])]));
            assert!(text.contains(DAMAGED) || text.contains("does not match its checksum"), "{text}");
        }
        let mut damaged = entry.clone();
        // A block of type 3 does not exist.
        damaged.body[0] = 0b110;
        assert_refused(zip(&[damaged]), DAMAGED);
    }
}

#[test]
fn bytes_after_the_end_of_deflate_are_ignored() {
    for mut entry in small_and_large() {
        let Crafted { packed, .. } = entry;
        entry.body.extend(b"more");
        let content = if packed < 10_000 { noise(1000) } else { noise(MAX_WINDOW_BYTES as usize + 1) };
        assert_content(Crafted { packed: packed + 4, ..entry }, &content);
    }
}

#[test]
fn every_method_unpacks_at_every_size() {
    for length in [0, 1, 70_000, 3 * MAX_WHOLE_BYTES as usize] {
        let content = noise(length.min(60_000)).repeat(length.div_ceil(60_000).max(1))[..length].to_vec();
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(&content).unwrap();
        // Deflate and Deflate64 have the same stored blocks.
        let mut blocks: Vec<u8> = Vec::new();
        let chunks: Vec<_> = if content.is_empty() { vec![&content[..]] } else { content.chunks(60_000).collect() };
        for (number, chunk) in chunks.iter().enumerate() {
            blocks.push(u8::from(number + 1 == chunks.len()));
            let length = u16::try_from(chunk.len()).unwrap();
            blocks.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
            blocks.extend(*chunk);
        }
        for (method, body) in [(0, content.clone()), (8, blocks.clone()), (9, blocks), (12, encoder.finish().unwrap())]
        {
            let packed = u32::try_from(body.len()).unwrap();
            assert_content(Crafted { method, packed, body, ..file("a", &content) }, &content);
        }
    }
}

#[test]
fn entries_at_the_border_unpack() {
    // A local header and the name take 31 bytes of the window.
    for length in MAX_WINDOW_BYTES as usize - 33..=MAX_WINDOW_BYTES as usize - 29 {
        let content = noise(length);
        assert_content(file("a", &content), &content);
    }
    for length in MAX_WHOLE_BYTES as usize - 1..=MAX_WHOLE_BYTES as usize + 1 {
        let content = vec![7; length];
        assert_content(deflated("a", &content), &content);
    }
}

#[test]
fn a_stream_stops_at_the_limit() {
    let limits = UnpackLimits { max_unpacked_bytes: 1_000_000, ..LIMITS };
    let [_, large] = small_and_large();
    let (result, tree) = unpack_with(zip(&[large]), limits);
    assert_eq!(result, Err(Problem::TooLarge(1_000_000)));
    assert!(matches!(&tree["a"], Node::File(_, content) if content.len() <= 1_000_000));
}

/// An archive of several threads: batches of small entries between streams.
fn mixed() -> (Vec<Crafted>, Vec<Vec<u8>>) {
    let content = |number: usize| noise(if number % 90 == 7 { 1_500_000 } else { 12_000 + number });
    let contents: Vec<_> = (0..400).map(content).collect();
    let entry = |(number, content): (usize, &Vec<u8>)| deflated(&format!("d{}/{number}", number % 7), content);
    (contents.iter().enumerate().map(entry).collect(), contents)
}

#[test]
fn several_threads_unpack_every_entry() {
    let (mut entries, contents) = mixed();
    entries.push(folder("empty/"));
    entries.push(link("l", "d0/0"));
    let tree = unpacked(zip(&entries));
    for (number, expected) in contents.iter().enumerate() {
        let found = &tree[&format!("d{}/{number}", number % 7)];
        assert!(matches!(found, Node::File(0o644, content) if content == expected), "{number}");
    }
    assert_eq!((tree.len(), &tree["l"]), (400 + 9, &Node::Link("d0/0".to_owned())));
}

#[test]
fn one_damaged_entry_among_many_is_named() {
    let (entries, _) = mixed();
    for number in [0, 7, 200, 399] {
        let mut damaged = entries.clone();
        damaged[number].crc ^= 1;
        assert_refused(zip(&damaged), &format!("`d{}/{number}` does not match its checksum", number % 7));
    }
}
