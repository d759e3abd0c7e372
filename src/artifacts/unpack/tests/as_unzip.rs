//! Valid zip archives unpack as Info-ZIP's `unzip` unpacks them under C.UTF-8.

use std::time::{Duration, SystemTime};

use super::craft::{Crafted, deflated, file, folder, link, zip, zip_that_claims};
use super::*;

pub(super) const DOS: u16 = 20;
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// An entry without attributes, written on another system.
pub(super) fn made_by(made_by: u16, name: impl AsRef<[u8]>) -> Crafted {
    Crafted { made_by, attributes: 0, ..file(name, b"x") }
}

pub(super) fn field(id: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&id.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
}

#[track_caller]
pub(super) fn assert_unpacks_to(entries: &[Crafted], paths: &[&str]) {
    assert_eq!(unpacked(zip(entries)).keys().collect::<Vec<_>>(), paths);
}

/// A file that is compressed with another method.
fn packed(method: u16, body: &[u8], content: &[u8]) -> Crafted {
    let packed = u32::try_from(body.len()).unwrap();
    Crafted { method, packed, body: body.to_vec(), ..file("a", content) }
}

#[test]
fn deflate64_and_bzip2_are_unpacked() {
    use std::io::Write;
    // The output of 7-Zip.
    let deflated64 = b"KIM\xcbI,I53QH\xce\xcf+I\xcd+\xd1Q\xc0\x10\xe2\x02\x00";
    let content = b"deflate64 content, deflate64 content\n";
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(content).unwrap();
    let bzipped = encoder.finish().unwrap();
    for (method, body) in [(9, &deflated64[..]), (12, &bzipped)] {
        let tree = unpacked(zip(&[packed(method, body, content)]));
        assert_eq!(tree["a"], Node::File(0o644, content.to_vec()), "{method}");
        assert_refused(zip(&[packed(method, &body[..body.len() / 2], content)]), "`a` ");
        assert_refused(zip(&[packed(method, body, b"other content")]), "does not match its checksum");
    }
}

#[test]
fn the_last_file_or_link_of_a_name_wins() {
    let winner = |entries: &[Crafted]| unpacked(zip(entries))["a"].clone();
    let two = Node::File(0o600, b"2".to_vec());
    let last = || Crafted { attributes: 0o100_600 << 16, ..file("a", b"2") };
    assert_eq!(winner(&[file("a", b"1"), last()]), two);
    assert_eq!(winner(&[file("./a", b"1"), file("b", b""), file("/a", b"3"), last()]), two);
    assert_eq!(winner(&[link("a", "b"), last()]), two);
    assert_eq!(winner(&[last(), link("a", "b")]), Node::Link("b".to_owned()));
    assert_eq!(winner(&[link("a", "c"), link("a", "b")]), Node::Link("b".to_owned()));
    // The content of a replaced entry does not count.
    let limits = UnpackLimits { max_unpacked_bytes: 1, max_entries: 1 };
    assert_eq!(unpack_with(zip(&[file("a", b"11"), last()]), limits).0, Ok(Staged { bytes: 1, entries: 1 }));
    assert_eq!(
        unpack_with(zip(&[file("a", b"1"), file("a", b"2"), last()]), limits).0,
        Err(Problem::TooMany(EntryClass::Ignored, 1))
    );
}

#[test]
fn the_first_folder_of_a_name_sets_the_mode() {
    let with = |mode: u32| Crafted { attributes: (0o040_000 | mode) << 16, ..folder("d/") };
    assert_eq!(unpacked(zip(&[with(0o750), file("d/a", b""), with(0o700)]))["d"], Node::Folder(0o750));
}

#[test]
fn a_count_over_16_bits_needs_no_zip64() {
    let entries: Vec<_> = (0..65_540).map(|_| folder("d/")).chain([file("a", b"")]).collect();
    let limits = UnpackLimits { max_entries: 65_541, ..LIMITS };
    assert_eq!(unpack_with(zip_that_claims(&entries, 5), limits).0, Ok(Staged { bytes: 0, entries: 2 }));
    assert!(unpack_with(zip_that_claims(&entries, 6), limits).0.is_err());
}

#[test]
fn sizes_missing_in_local_headers_come_from_the_directory() {
    for unknown in [0, u32::MAX] {
        for flags in [0, HAS_DESCRIPTOR] {
            let entries = [file("a", b"stored"), deflated("b", b"deflated")].map(|entry| Crafted {
                local_packed: Some(unknown),
                local_flags: Some(flags),
                ..entry
            });
            let tree = unpacked(zip(&entries));
            assert_eq!(tree["a"], Node::File(0o644, b"stored".to_vec()));
            assert_eq!(tree["b"], Node::File(0o644, b"deflated".to_vec()));
        }
    }
}

#[test]
fn the_name_comes_from_the_directory_and_sizes_may_be_wrong() {
    let other_name = Crafted { local_name: Some(b"other/".to_vec()), ..file("a", b"x") };
    assert_unpacks_to(&[other_name], &["a"]);
    // Without Zip64, a size over 4 GiB is stored in its lower 32 bits.
    let other_size = Crafted { unpacked: 3, ..deflated("a", b"content") };
    assert_eq!(unpacked(zip(&[other_size]))["a"], Node::File(0o644, b"content".to_vec()));
    let mut padded = deflated("a", b"content");
    padded.body.extend(b"padding");
    padded.packed += 7;
    assert_eq!(unpacked(zip(&[padded]))["a"], Node::File(0o644, b"content".to_vec()));
}

#[test]
fn a_comment_or_other_bytes_may_follow_the_archive() {
    let mut commented = zip(&[file("a", b"")]);
    let at = commented.len() - 2;
    commented[at] = 7;
    commented.extend(b"comment");
    assert_eq!(unpacked(commented).len(), 1);
    assert_eq!(unpacked([zip(&[file("a", b"")]), vec![0; 600]].concat()).len(), 1);
}

#[test]
fn a_spanning_marker_before_the_archive_is_accepted() {
    for marker in [b"PK\x07\x08", b"PK00"] {
        assert_eq!(unpacked([&marker[..], &zip(&[file("a", b"A")])].concat()).len(), 1);
    }
}

#[test]
fn modes_are_as_from_unzip() {
    let fat = |attributes: u32| Crafted { attributes, ..made_by(DOS, "a") };
    let of = |system: u16, attributes: u32| Crafted { attributes, ..made_by(system << 8 | DOS, "a") };
    for (entry, mode) in [
        (of(3, 0o106_755 << 16), 0o755),
        (of(3, 0o100_777 << 16), 0o777),
        (of(3, 0o100_000 << 16), 0),
        (of(3, 0), 0o644),
        (fat(0x20), 0o644),
        (fat(0x21), 0o444),
        // A Unix mode is used if it agrees with the DOS attributes.
        (fat(0o100_600 << 16), 0o600),
        (fat(0o100_755 << 16), 0o644),
        (of(14, 0o100_755 << 16), 0o644),
        (of(10, 0o100_600 << 16), 0o644),
    ] {
        let shown = format!("{:#x} {:#o}", entry.made_by, entry.attributes);
        assert_eq!(unpacked(zip(&[entry]))["a"], Node::File(mode, b"x".to_vec()), "{shown}");
    }
    let target = Crafted { attributes: 0o120_644 << 16, ..made_by(DOS, "a") };
    assert_eq!(unpacked(zip(&[target]))["a"], Node::Link("x".to_owned()));
}

#[test]
fn a_slash_at_the_end_makes_a_folder() {
    let tree = unpacked(zip(&[
        Crafted { attributes: 0o100_640 << 16, ..file("file/", b"") },
        file("content/", b"ignored"),
        link("link/", "target"),
        Crafted { attributes: 0x10, ..made_by(DOS, "dos") },
    ]));
    assert_eq!(tree["file"], Node::Folder(0o740));
    for name in ["content", "dos"] {
        assert!(matches!(tree[name], Node::Folder(_)), "{name}");
    }
    assert_eq!(tree["link"], Node::Folder(0o777));
}

#[test]
fn devices_sockets_and_empty_links_become_files() {
    for kind in [0o010_000, 0o020_000, 0o060_000, 0o140_000, 0o120_000] {
        let entry = Crafted { attributes: (kind | 0o644) << 16, ..file("a", b"") };
        assert_eq!(unpacked(zip(&[entry]))["a"], Node::File(0o644, Vec::new()), "{kind:#o}");
    }
    assert_unpacks_to(&[Crafted { attributes: 8, ..made_by(DOS, "LABEL") }, file("a", b"")], &["a"]);
}

#[test]
fn times_come_from_the_local_header() {
    let time = |seconds: u32| field(0x5455, &[&[1][..], &seconds.to_le_bytes()].concat());
    let entries = [
        Crafted { local_extra: time(1_000_000_001), extra: time(5), ..file("file", b"") },
        Crafted { local_extra: time(1_000_000_002), ..folder("folder/") },
        file("folder/dos", b""),
    ];
    let into = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    unpack(&memory::source(zip(&entries), runtime.handle()), "App", into.path(), LIMITS).unwrap();
    // The crafted DOS time is 1980-01-01 00:00.
    for (name, seconds) in [("file", 1_000_000_001), ("folder", 1_000_000_002), ("folder/dos", 315_532_800)] {
        let modified = std::fs::metadata(into.path().join(name)).unwrap().modified().unwrap();
        assert_eq!(modified, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), "{name}");
    }
}
