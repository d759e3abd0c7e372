//! Archives that GNU tar writes, in each of its formats, unpack as by GNU tar: names, types, content, targets and times.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;

use super::*;

/// Type, permission bits, size, time in seconds and nanoseconds, number of hard links, and content or target.
type Seen = (char, u32, u64, i64, i64, u64, Vec<u8>);

fn seen(root: &Path) -> BTreeMap<String, Seen> {
    fn walk(root: &Path, folder: &Path, all: &mut BTreeMap<String, Seen>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let of = std::fs::symlink_metadata(&path).unwrap();
            let (kind, size, content) = if of.is_symlink() {
                ('l', 0, std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
            } else if of.is_dir() {
                walk(root, &path, all);
                ('d', 0, Vec::new())
            } else {
                ('f', of.len(), std::fs::read(&path).unwrap())
            };
            // The link count of a folder depends on the file system.
            let names = if kind == 'd' { 0 } else { of.nlink() };
            let mode = if kind == 'l' { 0 } else { of.mode() & 0o777 };
            let name = text(path.strip_prefix(root).unwrap().as_os_str());
            all.insert(name, (kind, mode, size, of.mtime(), of.mtime_nsec(), names, content));
        }
    }
    let mut all = BTreeMap::new();
    walk(root, root, &mut all);
    all
}

fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Builds a tree with everything that an artifact may contain.
fn build(root: &Path) {
    std::fs::create_dir_all(root.join("src/empty")).unwrap();
    std::fs::write(root.join("src/main.c"), "int main;\n").unwrap();
    std::fs::hard_link(root.join("src/main.c"), root.join("src/same.c")).unwrap();
    std::fs::write(root.join("src/main.o"), vec![7; 100_000]).unwrap();
    std::fs::write(root.join(OsStr::from_bytes(b"caf\xe9")), "Latin-1").unwrap();
    std::fs::write(root.join("n\new\tline"), "").unwrap();
    let sparse = std::fs::File::create(root.join("sparse")).unwrap();
    for at in 0..40 {
        std::os::unix::fs::FileExt::write_all_at(&sparse, format!("region {at}").as_bytes(), at * 100_000).unwrap();
    }
    sparse.set_len(5_000_000).unwrap();
    for (link, target) in
        [("mask", &b"/dev/null"[..]), ("up", b"../../neighbour"), ("src/latest", b"main.c"), ("latin", b"caf\xe9")]
    {
        symlink(OsStr::from_bytes(target), root.join(link)).unwrap();
    }
    std::fs::set_permissions(root.join("src/main.o"), std::fs::Permissions::from_mode(0o751)).unwrap();
    set_time(&root.join("src/main.c"), 1_000_000_000, 123_456_789);
    set_time(&root.join("src/main.o"), 1_000_000_001, 5);
    set_time(&root.join("src/latest"), 3, 0);
    set_time(&root.join("sparse"), 1_700_000_000, 999_999_999);
    set_time(&root.join("src/empty"), 12_345, 0);
    set_time(&root.join("src"), 1_200_000_000, 500_000_000);
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Unpacks with the worker and with GNU tar, and compares the trees.
#[track_caller]
fn assert_unpacks_as_by_gnu_tar(archive: &[u8], what: &str) {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    unpack(&memory::source(archive.to_vec(), runtime.handle()), "App", ours.path(), LIMITS).expect(what);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive).unwrap();
    run(Command::new("tar").args(["-xpf"]).arg(file.path()).args(["--no-same-owner", "-C"]).arg(theirs.path()));
    assert_eq!(seen(ours.path()), seen(theirs.path()), "{what}");
}

#[test]
fn every_format_of_gnu_tar_unpacks_as_by_gnu_tar() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    for options in [
        &["--format=v7"][..],
        &["--format=oldgnu"],
        &["--format=gnu"],
        &["--format=ustar"],
        &["--format=posix"],
        &["--format=gnu", "--sparse"],
        &["--format=oldgnu", "--sparse"],
        &["--format=posix", "--sparse", "--sparse-version=0.0"],
        &["--format=posix", "--sparse", "--sparse-version=0.1"],
        &["--format=posix", "--sparse", "--sparse-version=1.0"],
        &["--format=posix", "--sparse", "--hole-detection=raw"],
        &["--format=posix", "--pax-option=delete=mtime,comment:=a"],
        &["--format=gnu", "--incremental"],
        &["--format=gnu", "--label=a label"],
        &["--format=posix", "--label=a label"],
        &["--gzip"],
        &["--hard-dereference"],
    ] {
        let pack = || {
            let mut tar = Command::new("tar");
            tar.args(["-cf", "-"]).args(options).arg("-C").arg(folder.path());
            tar
        };
        assert_unpacks_as_by_gnu_tar(&run(pack().arg(".")), &format!("{options:?}"));
        let twice = run(pack().args(["src", "./src", "mask", "sparse"]));
        assert_unpacks_as_by_gnu_tar(&twice, &format!("{options:?}, twice"));
    }
}

#[test]
fn an_archive_with_appended_entries_unpacks_as_by_gnu_tar() {
    let folder = tempfile::tempdir().unwrap();
    let (root, archive) = (folder.path().join("root"), folder.path().join("archive"));
    std::fs::create_dir(&root).unwrap();
    build(&root);
    let tar = |mode: &str| {
        run(Command::new("tar").arg(mode).arg(&archive).arg("-C").arg(&root).args(["src", "mask", "latin"]));
    };
    tar("-cf");
    std::fs::write(root.join("src/main.o"), "new").unwrap();
    std::fs::remove_file(root.join("latin")).unwrap();
    std::fs::write(root.join("latin"), "not a link").unwrap();
    std::fs::remove_dir(root.join("src/empty")).unwrap();
    symlink("/nowhere", root.join("src/empty")).unwrap();
    tar("-rf");
    assert_unpacks_as_by_gnu_tar(&std::fs::read(&archive).unwrap(), "appended");
}

#[test]
fn an_archive_without_entries_is_an_empty_folder() {
    for options in [&["-cf", "-"][..], &["-czf", "-"], &["-cf", "-", "-b1"], &["-cf", "-", "-b1000"]] {
        let archive = run(Command::new("tar").args(options).args(["-T", "/dev/null"]));
        assert_eq!(unpacked(archive), Tree::new(), "{options:?}");
    }
}
