//! Lists folders and compares the lists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Metadata, Permissions};
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Names as bytes, relative to the folder.
pub(crate) type Tree = BTreeMap<Vec<u8>, Node>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The nine permission bits; 0 for a link.
    pub(crate) mode: u32,
    /// Seconds and nanoseconds since 1970.
    pub(crate) modified: (i64, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File { size: u64, sha256: Vec<u8> },
    Folder,
    Link(OsString),
}

/// Lists the folder. Skips named pipes, sockets and devices, as the worker does.
pub(crate) fn list(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let Some(node) = node(&path) else { continue };
            if node.kind == Kind::Folder {
                folders.push(path.clone());
            }
            tree.insert(path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), node);
        }
    }
    tree
}

fn node(path: &Path) -> Option<Node> {
    let found = path.symlink_metadata().unwrap();
    let (mut mode, modified) = (found.mode() & 0o777, (found.mtime(), found.mtime_nsec()));
    let kind = if found.is_dir() {
        permit(path, &found, 0o700);
        Kind::Folder
    } else if found.is_file() {
        permit(path, &found, 0o400);
        let sha256 = Sha256::digest(fs::read(path).unwrap()).to_vec();
        Kind::File { size: found.len(), sha256 }
    } else if found.is_symlink() {
        mode = 0;
        Kind::Link(fs::read_link(path).unwrap().into_os_string())
    } else {
        return None;
    };
    Some(Node { kind, mode, modified })
}

/// Adds a permission that a user other than root needs to read the path. The list keeps the original mode.
fn permit(path: &Path, found: &Metadata, mode: u32) {
    if found.mode() & mode != mode {
        fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o777 | mode)).unwrap();
    }
}

/// Compares the trees. Returns a line for each difference. Ignores times within `now`, which the reference tool did not set, such as
/// that of a folder without an entry.
pub(crate) fn differences(reference: &Tree, ours: &Tree, now: &Range<i64>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, expected) in reference {
        let shown = name.escape_ascii();
        let Some(found) = ours.get(name) else {
            lines.push(format!("`{shown}` is missing: {}", expected.kind.shown()));
            continue;
        };
        if found.kind != expected.kind {
            lines.push(format!("`{shown}` is {}, not {}", found.kind.shown(), expected.kind.shown()));
        }
        // The worker and the command must be able to enter and to remove every folder.
        let mode = if expected.kind == Kind::Folder { expected.mode | 0o700 } else { expected.mode };
        if found.mode != mode {
            lines.push(format!("`{shown}` has mode {:o}, not {mode:o}", found.mode));
        }
        if found.modified != expected.modified && !now.contains(&expected.modified.0) {
            lines.push(format!("`{shown}` was modified at {:?}, not {:?}", found.modified, expected.modified));
        }
    }
    for (name, found) in ours.iter().filter(|(name, _)| !reference.contains_key(*name)) {
        lines.push(format!("`{}` is unexpected: {}", name.escape_ascii(), found.kind.shown()));
    }
    lines
}

impl Kind {
    fn shown(&self) -> String {
        match self {
            Self::File { size, sha256 } => format!("a file of {size} bytes (SHA-256 {})", sha256[..4].escape_ascii()),
            Self::Folder => "a folder".to_owned(),
            Self::Link(target) => format!("a link to `{}`", target.clone().into_vec().escape_ascii()),
        }
    }
}
