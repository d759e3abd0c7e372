//! Tests of unpacking without S3. Objects are in memory. Archives are handmade or written by other libraries.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

use super::super::lane::memory;
use super::super::limits::EntryClass;
use super::*;

mod any_tar;
mod any_zip;
mod as_unzip;
mod as_unzip_names;
mod by_tools;
mod craft;
mod craft_tar;
mod full_disk;
mod hostile;
mod hostile_tar;
mod hostile_zip;
mod kinds;
mod round_trip;
mod small_and_large;
mod sparse_tar;
mod tar_rules;

const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 64 * 1024 * 1024, max_entries: 1000 };

/// A file, a folder or a link in a tree.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Node {
    Folder(u32),
    File(u32, Vec<u8>),
    Link(String),
}

type Tree = BTreeMap<String, Node>;

/// A name or a target. Bytes that are not UTF-8 are escaped.
fn text(name: &OsStr) -> String {
    name.to_str().map_or_else(|| name.as_bytes().escape_ascii().to_string(), str::to_owned)
}

fn tree(root: &Path) -> Tree {
    fn walk(root: &Path, folder: &Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let mode = metadata.permissions().mode() & 0o7777;
            let needed = if metadata.is_dir() { 0o700 } else { 0o400 };
            if !metadata.is_symlink() && mode & needed != needed {
                // The archive's mode may deny reading.
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode | 0o700)).unwrap();
            }
            let node = if metadata.is_symlink() {
                Node::Link(text(std::fs::read_link(&path).unwrap().as_os_str()))
            } else if metadata.is_dir() {
                walk(root, &path, tree);
                Node::Folder(mode)
            } else if metadata.is_file() {
                Node::File(mode, std::fs::read(&path).unwrap())
            } else {
                // GNU tar creates named pipes and devices, which the worker skips.
                continue;
            };
            tree.insert(text(path.strip_prefix(root).unwrap().as_os_str()), node);
        }
    }
    let mut nodes = Tree::new();
    walk(root, root, &mut nodes);
    nodes
}

/// Unpacks into a folder of an outer folder, and asserts that nothing else in the outer folder changed.
fn unpack_with(object: impl Into<bytes::Bytes>, limits: UnpackLimits) -> (Result<Staged, Problem>, Tree) {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
    let outer = tempfile::tempdir().unwrap();
    let into = outer.path().join("job/in/App");
    std::fs::create_dir_all(&into).unwrap();
    std::fs::write(outer.path().join("job/neighbour"), "untouched").unwrap();
    let result = unpack(&memory::source(object, RUNTIME.handle()), "App", &into, limits);
    let inside = tree(&into);
    std::fs::remove_dir_all(&into).unwrap();
    let around = tree(outer.path());
    assert_eq!(around.keys().collect::<Vec<_>>(), ["job", "job/in", "job/neighbour"]);
    assert!(matches!(&around["job/neighbour"], Node::File(_, content) if content == b"untouched"));
    (result, inside)
}

fn unpacked(object: impl Into<bytes::Bytes>) -> Tree {
    let (result, tree) = unpack_with(object, LIMITS);
    result.unwrap();
    tree
}

/// The error message for an object that is refused.
fn refused(object: impl Into<bytes::Bytes>) -> String {
    unpack_with(object, LIMITS).0.unwrap_err().to_string()
}

#[track_caller]
fn assert_refused(object: impl Into<bytes::Bytes>, why: &str) {
    let text = refused(object);
    assert!(text.contains(why), "{text}");
}
