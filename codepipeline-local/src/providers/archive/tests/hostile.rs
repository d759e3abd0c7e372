//! Archives that try to write elsewhere, or to fill memory or disk.

use std::os::unix::fs::symlink;

use tar::EntryType;
use tempfile::TempDir;

use super::archives::{What, append, gzip, tar, zip};
use super::{Place, unpacked};
use crate::providers::archive::{ArchiveProblem, Limits};

const FILE: What<'_> = What::File(0o644, b"content");

#[test]
fn names_that_climb_are_refused() {
    for name in ["../a", "a/../../b", "/etc/a", "..", "a/.."] {
        let entries = [("first", FILE), (name, FILE)];
        let tar = tar(&entries);
        for archive in [zip(&entries), gzip(&tar), tar] {
            let error = unpacked(&archive).unwrap_err();
            assert!(matches!(error, ArchiveProblem::Name { .. }), "{name}: {error}");
        }
    }
}

#[test]
fn backslashes_climb_no_further_than_slashes() {
    let mut bytes = zip(&[("..\\a", FILE)]);
    let at = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    bytes[at + 5] = 0;
    assert!(matches!(unpacked(&bytes).unwrap_err(), ArchiveProblem::Name { .. }));
}

#[test]
fn no_entry_is_written_through_a_link() {
    let outside = TempDir::new().unwrap();
    let target = outside.path().to_str().unwrap();
    let orders = [
        [("a", What::Link(target)), ("a/b", FILE)],
        [("a/b", FILE), ("a", What::Link(target))],
        [("a", What::Link(target)), ("a/b/", What::Folder(0o755))],
        [("a", What::Link(target)), ("a", FILE)],
        [("a", What::Link(target)), ("a/b", What::Link("x"))],
    ];
    for entries in orders {
        let error = unpacked(&tar(&entries)).unwrap_err();
        assert!(matches!(error, ArchiveProblem::Repeated { .. }), "{error}");
    }
    for entries in &orders[..3] {
        assert!(matches!(unpacked(&zip(entries)).unwrap_err(), ArchiveProblem::Repeated { .. }));
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn no_entry_is_written_through_a_link_of_the_folder() {
    let outside = TempDir::new().unwrap();
    std::fs::write(outside.path().join("b"), "kept").unwrap();
    for archive in [zip(&[("a/b", FILE)]), tar(&[("a/b", FILE)]), tar(&[("a/", What::Folder(0o700)), ("a/b", FILE)])] {
        let place = Place::with(&archive);
        symlink(outside.path(), place.folder().join("a")).unwrap();
        let error = place.unpack(&Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveProblem::Io { .. }), "{error}");
    }
    assert_eq!(std::fs::read_to_string(outside.path().join("b")).unwrap(), "kept");
}

#[test]
fn existing_files_are_never_overwritten() {
    let place = Place::with(&zip(&[("a", FILE)]));
    std::fs::write(place.folder().join("a"), "kept").unwrap();
    let error = place.unpack(&Limits::default()).unwrap_err();
    assert!(error.to_string().contains("could not create a"), "{error}");
    assert_eq!(std::fs::read_to_string(place.folder().join("a")).unwrap(), "kept");
}

#[test]
fn hard_links_lead_only_to_files_of_the_archive() {
    let outside = TempDir::new().unwrap();
    let target = outside.path().join("secret");
    std::fs::write(&target, "secret").unwrap();
    for entries in [
        vec![("a", What::Hard(target.to_str().unwrap()))],
        vec![("a", What::Hard("../archive"))],
        vec![("a", What::Hard("later")), ("later", FILE)],
        vec![("link", What::Link("/etc/passwd")), ("a", What::Hard("link"))],
        vec![("d/", What::Folder(0o755)), ("a", What::Hard("d"))],
        vec![("a", What::Hard("./"))],
        vec![("a", What::Hard(""))],
    ] {
        let error = unpacked(&tar(&entries)).unwrap_err();
        assert!(matches!(error, ArchiveProblem::Broken { .. } | ArchiveProblem::Name { .. }), "{error}");
    }
}

#[test]
fn repeated_names_are_refused() {
    let mut bytes = zip(&[("twin-1", FILE), ("twin-2", FILE)]);
    while let Some(at) = bytes.windows(6).position(|part| part == b"twin-2") {
        bytes[at + 5] = b'1';
    }
    let error = unpacked(&bytes).unwrap_err().to_string();
    assert!(error.contains("same name"), "{error}");
    for entries in [[("a", FILE), ("a", FILE)], [("a", FILE), ("./a", FILE)], [("a", FILE), ("a/b", FILE)]] {
        let tar = unpacked(&tar(&entries)).unwrap_err();
        assert!(matches!(tar, ArchiveProblem::Repeated { .. }), "{tar}");
    }
    let zip = unpacked(&zip(&[("a/b", FILE), ("a", FILE)])).unwrap_err();
    assert!(zip.to_string().contains("has \"a\" twice"), "{zip}");
}

#[test]
fn devices_and_pipes_are_refused_by_kind() {
    for (kind, named) in [
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a pipe"),
        (EntryType::new(b'M'), "type 'M'"),
    ] {
        let error = unpacked(&tar(&[("dev", What::Other(kind))])).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("\"dev\""), "{error}");
    }
    // The mode of a pipe in a zip.
    let mut bytes = zip(&[("dev", What::File(0o644, b""))]);
    let at = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    bytes[at + 38..at + 42].copy_from_slice(&(0o010_644u32 << 16).to_le_bytes());
    let error = unpacked(&bytes).unwrap_err().to_string();
    assert!(error.contains("a device or a pipe"), "{error}");
}

#[test]
fn bombs_stop_at_the_limit_of_bytes() {
    let zeros = vec![0; 3_000_000];
    let entries = [("a", What::File(0o644, &zeros)), ("b", What::File(0o644, &zeros))];
    let limits = Limits { bytes: 4_000_000, ..Limits::default() };
    let tar = tar(&entries);
    for archive in [zip(&entries), gzip(&tar), tar] {
        let place = Place::with(&archive);
        let error = place.unpack(&limits).unwrap_err();
        assert!(error.to_string().contains("more than 4000000 bytes"), "{error}");
        let written: u64 = ["a", "b"].iter().map(|name| place.folder().join(name).metadata().unwrap().len()).sum();
        assert!(written <= 4_000_000, "{written}");
    }
}

#[test]
fn content_of_a_folder_counts_as_bytes() {
    let mut bytes = Vec::new();
    append(&mut bytes, EntryType::Directory, ("a", ""), 0o755, &vec![0; 2_000_000]);
    let limits = Limits { bytes: 1_000_000, ..Limits::default() };
    assert!(matches!(Place::with(&bytes).unpack(&limits).unwrap_err(), ArchiveProblem::Bytes { .. }));
}

#[test]
fn implied_folders_count_as_entries() {
    let names: Vec<String> = (0..20).map(|at| format!("{at}/a/b/c")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), FILE)).collect();
    let exact = Limits { entries: 80, ..Limits::default() };
    let limits = Limits { entries: 79, ..Limits::default() };
    for archive in [zip(&entries), tar(&entries)] {
        assert_eq!(Place::with(&archive).unpack(&exact).unwrap().len(), 80);
        let error = Place::with(&archive).unpack(&limits).unwrap_err();
        assert!(error.to_string().contains("more than 79 files and folders"), "{error}");
    }
}

#[test]
fn long_names_do_not_fill_the_memory() {
    let mut bytes = Vec::new();
    append(&mut bytes, EntryType::GNULongName, ("long", ""), 0o644, &vec![b'a'; 3_000_000]);
    append(&mut bytes, EntryType::Regular, ("a", ""), 0o644, b"");
    bytes.extend([0; 1024]);
    let endless = [tar(&[("a", FILE)]), vec![0; 3_000_000]].concat();
    for archive in [gzip(&bytes), gzip(&endless)] {
        let error = unpacked(&archive).unwrap_err().to_string();
        assert!(error.contains("1 MiB"), "{error}");
    }
}

#[test]
fn archives_cut_short_are_broken() {
    let noise: Vec<u8> = (0..20_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let entries = [("a", What::File(0o644, &noise))];
    let tar = tar(&entries);
    for archive in [zip(&entries), gzip(&tar), tar] {
        for end in [archive.len() * 9 / 10, archive.len() / 2, 700] {
            let error = unpacked(&archive[..end]).unwrap_err();
            assert!(matches!(error, ArchiveProblem::Broken { .. }), "{error}");
        }
    }
}

#[test]
fn wrong_checksums_are_broken() {
    let entries = [("a", What::File(0o644, b"some content"))];
    let mut gzip = gzip(&tar(&entries));
    let end = gzip.len();
    gzip[end - 6] ^= 1;
    let mut zip = zip(&entries);
    let at = zip.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    zip[at + 16] ^= 1;
    for archive in [gzip, zip] {
        assert!(matches!(unpacked(&archive).unwrap_err(), ArchiveProblem::Broken { .. }));
    }
}
