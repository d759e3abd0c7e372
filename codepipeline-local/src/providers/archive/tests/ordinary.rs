//! Archives as tools make them.

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::archives::{What, append, gzip, tar, zip};
use super::{Place, expect, tree, unpacked};
use crate::providers::archive::{ArchiveProblem, Limits, Stop, pack, pack_folder, unpack};

#[test]
fn zip_tar_and_tar_gz_unpack_with_modes_and_links() {
    let entries = [
        ("run.sh", What::File(0o100_755, b"#!/bin/sh\n")),
        ("docs/", What::Folder(0o40_750)),
        ("docs/secret", What::File(0o100_400, b"x")),
        ("link", What::Link("docs/secret")),
        ("outside", What::Link("/etc/../nowhere")),
    ];
    let expected = expect(&[
        ("run.sh", "755 #!/bin/sh\n"),
        ("docs", "750"),
        ("docs/secret", "400 x"),
        ("link", "-> docs/secret"),
        ("outside", "-> /etc/../nowhere"),
    ]);
    let tar = tar(&entries);
    for archive in [zip(&entries), gzip(&tar), tar] {
        assert_eq!(unpacked(&archive).unwrap(), expected);
    }
}

#[test]
fn set_user_id_and_sticky_bits_are_dropped() {
    let entries =
        [("a", What::File(0o104_755, b"")), ("b/", What::Folder(0o41_777)), ("c", What::File(0o102_055, b""))];
    for archive in [zip(&entries), tar(&entries)] {
        assert_eq!(unpacked(&archive).unwrap(), expect(&[("a", "755 "), ("b", "777"), ("c", "455 ")]));
    }
}

#[test]
fn read_only_folder_takes_its_files_first() {
    let entries =
        [("a/", What::Folder(0o40_555)), ("a/b/", What::Folder(0o40_555)), ("a/b/c", What::File(0o644, b"c"))];
    for archive in [zip(&entries), tar(&entries)] {
        assert_eq!(unpacked(&archive).unwrap(), expect(&[("a", "755"), ("a/b", "755"), ("a/b/c", "644 c")]));
    }
}

#[test]
fn tar_has_hard_links_long_names_and_a_commit() {
    let long = "d/".repeat(70) + "file";
    let mut bytes = Vec::new();
    let record = b"52 comment=0123456789012345678901234567890123456789\n";
    append(&mut bytes, tar::EntryType::XGlobalHeader, ("pax_global_header", ""), 0o644, record);
    append(&mut bytes, tar::EntryType::Directory, ("./", ""), 0o755, b"");
    append(&mut bytes, tar::EntryType::Regular, ("./a", ""), 0o600, b"one");
    append(&mut bytes, tar::EntryType::Link, ("b", "a"), 0o600, b"");
    append(&mut bytes, tar::EntryType::GNULongName, ("././@LongLink", ""), 0, long.as_bytes());
    append(&mut bytes, tar::EntryType::Regular, ("cut", ""), 0o644, b"deep");
    append(&mut bytes, tar::EntryType::Regular, ("old/", ""), 0o755, b"");
    bytes.extend([0; 1024]);
    let found = unpacked(&bytes).unwrap();
    assert_eq!((found["a"].as_str(), found["b"].as_str(), found["old"].as_str()), ("600 one", "600 one", "755"));
    assert_eq!(found[&long], "644 deep");
    assert!(!found.contains_key("pax_global_header"));
}

#[test]
fn empty_archives_unpack_to_nothing() {
    for archive in [zip(&[]), tar(&[]), gzip(&tar(&[]))] {
        assert_eq!(unpacked(&archive).unwrap(), expect(&[]));
    }
}

#[test]
fn zip_from_windows_has_folders() {
    let mut bytes = zip(&[("a\\b", What::File(0o644, b"c"))]);
    // The system that made the entry: the second byte of "version made by", after the central header's signature.
    let at = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    bytes[at + 5] = 0;
    assert_eq!(unpacked(&bytes).unwrap(), expect(&[("a", "755"), ("a/b", "644 c")]));
    // The attribute of a folder, without a slash at the end of its name.
    bytes[at + 38] |= 0x10;
    assert_eq!(unpacked(&bytes).unwrap(), expect(&[("a", "755"), ("a/b", "755")]));
}

#[test]
fn other_files_are_refused_by_kind() {
    for (content, named) in [
        (b"".to_vec(), "not a zip"),
        (b"hello".to_vec(), "not a zip"),
        (vec![b'x'; 2048], "not a zip"),
        (gzip(b"hello"), "gzip holds no tar"),
    ] {
        let error = unpacked(&content).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn folder_survives_packing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    std::fs::create_dir_all(path.join("a/empty")).unwrap();
    std::fs::write(path.join("a/run"), "#!").unwrap();
    std::fs::set_permissions(path.join("a/run"), PermissionsExt::from_mode(0o750)).unwrap();
    symlink("../nowhere", path.join("a/link")).unwrap();
    std::fs::write(path.join("ü"), "").unwrap();
    let packed = path.join("packed.zip");
    pack_folder(path, &packed, &Stop::default()).unwrap();
    let place = Place::with(&std::fs::read(&packed).unwrap());
    let found = place.unpack(&Limits::default()).unwrap();
    std::fs::remove_file(packed).unwrap();
    assert_eq!(found, tree(path));
}

#[test]
fn same_files_give_the_same_zip() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| (name.to_owned(), folder.path().join("file"));
    std::fs::write(folder.path().join("file"), "content").unwrap();
    let zip = |names: [&str; 3], time: u64| {
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time);
        std::fs::File::open(folder.path().join("file")).unwrap().set_modified(date).unwrap();
        let into = folder.path().join("zip");
        pack(&names.map(file), &into, &Stop::default()).unwrap();
        std::fs::read(into).unwrap()
    };
    assert_eq!(zip(["b", "a/c", "z"], 1), zip(["z", "b", "./a/c"], 2));
}

#[test]
fn names_that_would_not_unpack_are_not_packed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = |names: &[&str]| {
        let files: Vec<_> = names.iter().map(|name| ((*name).to_owned(), file.clone())).collect();
        pack(&files, &folder.path().join("zip"), &Stop::default()).unwrap_err()
    };
    assert!(matches!(refused(&["../a"]), ArchiveProblem::Name { .. }));
    assert!(matches!(refused(&["a", "./a"]), ArchiveProblem::Repeated { .. }));
    let socket = folder.path().join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = pack(&[("s".to_owned(), socket)], &folder.path().join("zip"), &Stop::default()).unwrap_err();
    assert!(error.to_string().contains("\"s\" is a device or a socket"), "{error}");
}

#[test]
fn missing_archive_is_named_as_missing() {
    let folder = TempDir::new().unwrap();
    let error = unpack(&folder.path().join("none"), folder.path(), &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("could not open the archive"), "{error}");
}
