//! A packed tree unpacks to the same tree, and packs to the same bytes.

use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::super::super::pack::pack;
use super::super::super::stop::Stop;
use super::*;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn build(root: &Path, tree: &Tree) {
    for (path, node) in tree {
        let path = root.join(path);
        match node {
            Node::Folder(_) => std::fs::create_dir_all(&path).unwrap(),
            Node::File(mode, content) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, content).unwrap();
                set_mode(&path, *mode);
            }
            Node::Link(target) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                symlink(target, &path).unwrap();
            }
        }
    }
    for (path, node) in tree.iter().rev() {
        if let Node::Folder(mode) = node {
            set_mode(&root.join(path), *mode);
        }
    }
}

fn packed(root: &Path) -> Result<Vec<u8>, Problem> {
    let mut archive = Vec::new();
    pack(root, &mut archive, LIMITS, &Stop::new()).map(|_| archive)
}

/// A tree with unusual but valid names, readable folders, and links to any target.
fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![
        "[a-c]",
        "[ -~äß漢\u{1f600}\n\t\u{1b}]{1,12}"
            .prop_filter("a name", |name| !name.contains('/') && name != "." && name != ".."),
    ];
    let file_mode = prop_oneof![Just(0o644), Just(0o755), Just(0o600), Just(0o400)];
    let node = prop_oneof![
        3 => (file_mode, proptest::collection::vec(any::<u8>(), 0..3000)).prop_map(|(mode, content)| Node::File(mode, content)),
        1 => prop_oneof![Just(0o755), Just(0o700), Just(0o750)].prop_map(Node::Folder),
        1 => prop_oneof!["[a-c]", "[a-c]/[a-c]", prop::sample::select(vec![".", "..", "/usr/bin/python3"]).prop_map(str::to_owned)].prop_map(Node::Link),
    ];
    let path = proptest::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    proptest::collection::btree_map(path, node, 0..12).prop_map(|wanted| {
        let mut tree = Tree::new();
        for (path, node) in wanted {
            let parents: Vec<_> = path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect();
            if tree.contains_key(&path)
                || parents.iter().any(|parent| !matches!(tree.get(parent), None | Some(Node::Folder(_))))
            {
                continue;
            }
            for parent in parents {
                tree.entry(parent).or_insert(Node::Folder(0o755));
            }
            tree.insert(path, node);
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_packed_tree_unpacks_unchanged(wanted in any_tree()) {
        let folder = tempfile::tempdir().unwrap();
        build(folder.path(), &wanted);
        let archive = packed(folder.path());
        let archive = archive.unwrap();
        prop_assert_eq!(&tree(folder.path()), &wanted);
        prop_assert_eq!(&unpacked(archive.clone()), &wanted);

        // The same tree in another folder, created in another order and at another time, packs to the same bytes.
        let again = tempfile::tempdir().unwrap();
        let reversed: Vec<_> = wanted.iter().rev().collect();
        for (path, node) in reversed {
            build(again.path(), &Tree::from([(path.clone(), node.clone())]));
            if let Node::Folder(_) = node {
                set_mode(&again.path().join(path), 0o755);
            }
        }
        build(again.path(), &wanted.iter().filter(|(_, node)| matches!(node, Node::Folder(_))).map(|(path, node)| (path.clone(), node.clone())).collect());
        prop_assert!(packed(again.path()).unwrap() == archive);
        for root in [folder.path(), again.path()] {
            wanted.iter().filter(|(_, node)| matches!(node, Node::Folder(_))).for_each(|(path, _)| set_mode(&root.join(path), 0o755));
        }
    }
}

#[test]
fn another_library_reads_what_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = Tree::from([
        ("a".to_owned(), Node::Folder(0o750)),
        ("a/b:c\\d".to_owned(), Node::File(0o755, b"ordinary characters".to_vec())),
        ("a/ä:漢".to_owned(), Node::File(0o644, vec![b'x'; 100_000])),
        ("empty".to_owned(), Node::Folder(0o700)),
        ("ö".to_owned(), Node::Link("a/ä:漢".to_owned())),
    ]);
    build(folder.path(), &wanted);
    let mut archive = ::zip::ZipArchive::new(Cursor::new(packed(folder.path()).unwrap())).unwrap();
    let mut found = Tree::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let time = entry.last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day(), time.hour()), (1980, 2, 1, 0));
        let mode = entry.unix_mode().unwrap() & 0o777;
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let node = if entry.is_dir() {
            Node::Folder(mode)
        } else if entry.is_symlink() {
            Node::Link(String::from_utf8(content).unwrap())
        } else {
            Node::File(mode, content)
        };
        found.insert(entry.name().unwrap().trim_end_matches('/').to_owned(), node);
    }
    assert_eq!(found, wanted);
}

#[test]
fn files_dated_before_1980_keep_content_and_mode() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = Tree::from([("old".to_owned(), Node::File(0o755, b"old".to_vec()))]);
    build(folder.path(), &wanted);
    let old = std::fs::File::options().write(true).open(folder.path().join("old")).unwrap();
    let year_1970 = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
    old.set_modified(year_1970).unwrap();
    assert_eq!(unpacked(packed(folder.path()).unwrap()), wanted);
}

#[test]
fn an_empty_folder_is_a_valid_empty_zip() {
    let folder = tempfile::tempdir().unwrap();
    let archive = packed(folder.path()).unwrap();
    assert_eq!(archive.len(), 22);
    assert_eq!(unpacked(archive), Tree::new());
}

#[test]
fn links_are_packed_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let targets: [&[u8]; 6] = [b"/dev/null", b"../neighbour", b"nothing", b".", b"caf\xe9", b"/usr/bin/python3"];
    for (number, target) in targets.iter().enumerate() {
        symlink(std::ffi::OsStr::from_bytes(target), folder.path().join(number.to_string())).unwrap();
    }
    let mut archive = ::zip::ZipArchive::new(Cursor::new(packed(folder.path()).unwrap())).unwrap();
    for (number, target) in targets.iter().enumerate() {
        let mut entry = archive.by_name(&number.to_string()).unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        assert!(entry.is_symlink() && content == *target, "{target:?}");
    }
}

#[test]
fn sockets_and_pipes_are_skipped_in_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let (pipe, mode) = (folder.path().join("pipe"), rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let mut archive = Vec::new();
    assert_eq!(pack(folder.path(), &mut archive, LIMITS, &Stop::new()).map(|staged| staged.entries), Ok(1));
    assert_eq!(unpacked(archive).keys().collect::<Vec<_>>(), ["file"]);
}

#[test]
fn an_output_name_that_is_not_utf8_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let text = packed(folder.path()).unwrap_err().to_string();
    assert!(text.contains("is not UTF-8; rename it"), "{text}");
}

#[test]
fn an_output_has_limits_for_files_and_for_folders_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let limits = UnpackLimits { max_entries: 2, max_unpacked_bytes: 0 };
    let packed = || pack(folder.path(), Vec::new(), limits, &Stop::new());
    for name in ["a", "b"] {
        std::fs::write(folder.path().join(name), "content").unwrap();
    }
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    symlink("a", folder.path().join("link")).unwrap();
    assert_eq!(packed().map(|staged| staged.entries), Ok(4));
    symlink("a", folder.path().join("folder/link")).unwrap();
    let text = packed().unwrap_err().to_string();
    assert!(text.starts_with("it has more than 2 folders and links, the limit; raise MAX_ENTRIES"), "{text}");
    std::fs::remove_file(folder.path().join("folder/link")).unwrap();
    std::fs::write(folder.path().join("folder/c"), "").unwrap();
    assert_eq!(packed(), Err(Problem::TooMany(EntryClass::Files, 2)));
}

#[test]
fn a_link_or_a_file_instead_of_the_output_folder_is_refused() {
    let (job, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("secret"), "must not leak").unwrap();
    symlink(outside.path(), job.path().join("link")).unwrap();
    std::fs::write(job.path().join("file"), "").unwrap();
    for name in ["link", "file"] {
        let text = packed(&job.path().join(name)).unwrap_err().to_string();
        assert!(text.contains("the command replaced the output folder"), "{text}");
    }
    let text = packed(&job.path().join("nothing")).unwrap_err().to_string();
    assert!(text.contains("could not open the output folder"), "{text}");
}

#[test]
fn an_output_nested_too_deeply_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("d/".repeat(255))).unwrap();
    assert!(packed(folder.path()).is_ok());
    std::fs::create_dir(folder.path().join("d/".repeat(255) + "e")).unwrap();
    let text = packed(folder.path()).unwrap_err().to_string();
    assert!(text.contains("in the output folder is nested more than 255 folders deep"), "{text}");
}

#[test]
fn packing_stops_at_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "A").unwrap();
    let stop = Stop::new();
    stop.stop();
    assert_eq!(pack(folder.path(), Vec::new(), LIMITS, &stop), Err(Problem::Interrupted));
}
