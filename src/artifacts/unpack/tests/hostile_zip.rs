//! Hostile zip archives: wrong fields, `..` in names, bombs and truncation. Each is refused with a message, and none writes
//! outside the folder.

use super::craft::{Crafted, deflated, file, folder, link, zip, zip_that_claims};
use super::*;

#[test]
fn a_crafted_archive_without_errors_unpacks() {
    let tree = unpacked(zip(&[folder("d/"), file("d/a", b"A"), deflated("b", b"BBBB"), link("l", "d/a")]));
    assert_eq!(tree["d"], Node::Folder(0o755));
    assert_eq!(tree["d/a"], Node::File(0o644, b"A".to_vec()));
    assert_eq!(tree["b"], Node::File(0o644, b"BBBB".to_vec()));
    assert_eq!(tree["l"], Node::Link("d/a".to_owned()));
}

#[test]
fn no_name_writes_outside_the_folder() {
    let names = ["../neighbour", "a/../../neighbour", "..", "a/..", "/tmp/x", "/../neighbour", "..\\..\\neighbour"];
    for name in names {
        for made_by in [0x031e, 0x0014] {
            assert_eq!(
                unpack_with(zip(&[Crafted { made_by, ..file(name, b"x") }]), LIMITS).0.map(|it| it.bytes),
                Ok(1)
            );
        }
    }
}

#[test]
fn an_entry_without_a_name_is_refused() {
    for name in ["", "\0a", "./.\0"] {
        let entry = file(name, b"x");
        let has_name = name.starts_with("./.");
        assert_eq!(unpack_with(zip(&[entry]), LIMITS).0.is_ok(), has_name, "{name:?}");
    }
    assert_refused(zip(&[file("", b"x")]), "has no name");
}

#[test]
fn long_names_are_refused_and_shortened_in_the_message() {
    let text = refused(zip(&[file("x".repeat(256), b"")]));
    assert!(text.contains("a component of more than 255 bytes") && text.len() < 300, "{text}");
    assert_refused(zip(&[file("d/".repeat(2100) + "f", b"")]), "has more than 4095 bytes");
}

#[test]
fn deeply_nested_folders_are_refused() {
    assert_refused(zip(&[file("d/".repeat(2040) + "f", b"")]), "is nested more than 255 folders deep");
}

#[test]
fn links_that_would_fill_the_memory_are_refused() {
    let target = "x".repeat(4095);
    let many: Vec<_> = (0..8300).map(|number| link(&number.to_string(), &target)).collect();
    let limits = UnpackLimits { max_entries: 10_000, ..LIMITS };
    let text = unpack_with(zip(&many), limits).0.unwrap_err().to_string();
    assert!(text.contains("links whose names and targets have more than 32 MiB together"), "{text}");
}

#[test]
fn links_keep_any_target() {
    for target in ["..", "../../neighbour", "/etc/passwd", "d/../.."] {
        assert_eq!(unpacked(zip(&[link("l", target)]))["l"], Node::Link(target.to_owned()));
    }
}

#[test]
fn links_with_odd_targets_are_refused() {
    assert_refused(zip(&[link("l", "a\0b")]), "a NUL");
    assert_refused(zip(&[link("l", &"x".repeat(5000))]), "more than 4095 bytes");
}

#[test]
fn nothing_is_written_through_a_link() {
    for entries in [
        [link("l", "d"), file("l/x", b"x"), folder("d/")],
        [file("l/x", b"x"), folder("d/"), link("l", "d")],
        [link("l", "/tmp"), link("l/x", "y"), folder("d/")],
    ] {
        assert_refused(zip(&entries), "conflict at `l`: one is a file or a link, others need a folder");
    }
}

#[test]
fn names_that_differ_in_case_are_two_files() {
    assert_eq!(unpacked(zip(&[file("a", b"1"), file("A", b"2")])).len(), 2);
}

#[test]
fn a_bomb_stops_at_the_limit_even_if_it_claims_less() {
    let limits = UnpackLimits { max_unpacked_bytes: 100_000, ..LIMITS };
    let honest = deflated("bomb", &[0; 10_000_000]);
    let lying = Crafted { unpacked: 10, ..honest.clone() };
    for bomb in [honest, lying] {
        let (result, tree) = unpack_with(zip(&[bomb]), limits);
        assert_eq!(result, Err(Problem::TooLarge(100_000)));
        assert!(matches!(&tree["bomb"], Node::File(_, content) if content.len() <= 100_000));
    }
    let many = [file("a", &[1; 60_000]), file("b", &[2; 60_000])];
    assert_eq!(unpack_with(zip(&many), limits).0, Err(Problem::TooLarge(100_000)));
}

#[test]
fn too_many_entries_are_refused_including_implied_folders() {
    let limits = UnpackLimits { max_entries: 3, ..LIMITS };
    let many: Vec<_> = (0..4).map(|i| file(format!("f{i}"), b"")).collect();
    assert_eq!(unpack_with(zip(&many), limits).0, Err(Problem::TooMany(EntryClass::Files, 3)));
    let folders = Err(Problem::TooMany(EntryClass::FoldersAndLinks, 3));
    assert_eq!(unpack_with(zip(&[file("a/b/c/d/e", b"")]), limits).0, folders);
    assert!(unpack_with(zip(&[file("a/b/c/d", b"")]), limits).0.is_ok());
}

#[test]
fn encrypted_entries_are_refused() {
    assert_refused(zip(&[Crafted { flags: 1, ..file("a", b"x") }]), "`a` is encrypted");
    assert_refused(zip(&[Crafted { method: 99, ..file("a", b"x") }]), "`a` is encrypted");
}

#[test]
fn other_compression_methods_are_named() {
    assert_refused(zip(&[Crafted { method: 93, ..file("a", b"x") }]), "method 93 (ZSTD)");
    assert_refused(zip(&[Crafted { method: 77, ..file("a", b"x") }]), "method 77 (unknown)");
}

#[test]
fn an_archive_truncated_anywhere_is_refused() {
    let whole = zip(&[file("a", b"some content"), deflated("b", &[7; 1000]), folder("c/")]);
    for length in 4..whole.len() {
        let (result, _) = unpack_with(whole[..length].to_vec(), LIMITS);
        assert!(matches!(result, Err(Problem::Archive(_))), "{length}: {result:?}");
    }
}

#[test]
fn a_flipped_bit_never_panics_or_writes_outside() {
    let whole = zip(&[file("a", b"some content"), deflated("b", &[7; 1000]), link("l", "a"), folder("c/")]);
    for at in 4..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        let _ = unpack_with(flipped, LIMITS);
    }
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let first = file("a", &[0; 100]);
    let second = Crafted { offset: Some(0), ..file("b", &[0; 100]) };
    assert_refused(zip(&[first.clone(), second]), "overlaps with the next entry");
    // One byte too long. Only the length of the name in the local header reveals it.
    let stretched = Crafted { packed: 101, unpacked: 101, ..first };
    assert_refused(zip(&[stretched, file("b", b"x")]), "overlaps with the next entry");
}

#[test]
fn local_headers_that_disagree_with_the_directory_are_refused() {
    let a = || file("a", b"content");
    assert_refused(zip(&[Crafted { local_method: Some(8), ..a() }]), "a different compression method");
    assert_refused(zip(&[Crafted { local_packed: Some(3), ..a() }]), "a different size");
}

#[test]
fn wrong_checksums_are_refused() {
    assert_refused(zip(&[Crafted { crc: 1, ..file("a", b"content") }]), "does not match its checksum");
    assert_refused(zip(&[Crafted { crc: 1, ..file("a", b"") }]), "does not match its checksum");
    assert_refused(zip(&[Crafted { crc: 1, ..deflated("a", b"content") }]), "does not match its checksum");
    assert_refused(zip(&[Crafted { crc: 1, ..link("a", "content") }]), "does not match its checksum");
    let cut = Crafted { packed: 3, ..file("a", b"content") };
    assert_refused(zip(&[Crafted { local_packed: Some(3), ..cut }]), "does not match its checksum");
    assert_refused(zip(&[Crafted { method: 8, ..file("a", b"\xff\xff\xff\xff") }]), "its compressed data is damaged");
}

#[test]
fn a_wrong_number_of_entries_is_refused() {
    assert_refused(zip_that_claims(&[file("a", b"")], 2), "claims 2 entries, but its central directory lists 1");
    assert_refused(zip_that_claims(&[file("a", b""), file("b", b"")], 1), "claims 1 entries");
}

#[test]
fn names_that_are_both_a_file_and_a_folder_are_refused() {
    for entries in [
        [file("a", b"1"), folder("a/")],
        [folder("a/"), file("a", b"1")],
        [file("a", b"1"), file("a/b", b"2")],
        [file("a/b/c", b"1"), link("a", "b")],
        [file("a/b-", b"1"), file("a", b"2")],
    ] {
        assert_refused(
            zip(&entries),
            "entries of the zip archive conflict at `a`: one is a file or a link, others need a folder",
        );
    }
    assert_eq!(unpacked(zip(&[file("a", b"1"), file("a-b", b"2"), file("ab/c", b"3")])).len(), 4);
}
