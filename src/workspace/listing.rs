//! A list of all files in a folder at one moment, and the removal of files that came later.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{DirEntry, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::lock::{is_held, is_worker_name};
pub(super) use cleanup::Removed;

mod cleanup;
mod record;

/// A folder is not looked into if that would make a listing longer than this: listing 2,000 names takes milliseconds. Lambda's
/// `/tmp` begins empty: only what an extension puts there makes a listing long.
const MOST: usize = 2_000;

/// A folder that was looked into.
const OPEN: u8 = b'd';
/// A folder that was not looked into: it could not be read, or holds too much.
const CLOSED: u8 = b'c';

/// The names in a folder, those in its folders included, and what kind of file each one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<PathBuf, u8>);

/// Paths that a listing leaves out and that are never removed.
pub(super) struct Protected<'a> {
    /// The folder of the job, or at the start of a process all of the worker's own folder.
    pub(super) folder: &'a Path,
    /// The worker's own folder, which may be looked into.
    pub(super) own: &'a Path,
    /// Where the listing itself is kept.
    pub(super) record: &'a Path,
}

impl Protected<'_> {
    /// Whether to leave out `path`. The worker's own lock is left out, and so are the folders and locks of other workers that
    /// live. Their names alone protect nothing: a command can give them to its files.
    fn has(&self, path: &Path, is_at_the_top: bool) -> bool {
        let is_worker_name = || path.file_name().is_some_and(is_worker_name);
        let lock = path.with_extension("lock");
        let is_taken = || path == self.own.with_extension("lock") || is_held(&lock);
        path == self.folder
            || path == self.record
            || (is_at_the_top && path != self.own && is_worker_name() && is_taken())
    }
}

impl Listing {
    /// Lists `top`. The names directly in it are always all there; its folders are looked into while there is room.
    pub(super) fn take(top: &Path, protected: &Protected<'_>) -> io::Result<Self> {
        let mut listing = Self(BTreeMap::new());
        let mut pending = VecDeque::from([PathBuf::new()]);
        while let Some(folder) = pending.pop_front() {
            let is_top = folder.as_os_str().is_empty();
            let entries = match entries(&top.join(&folder)) {
                Ok(entries) if is_top || listing.0.len() + entries.len() <= MOST => entries,
                Err(error) if is_top => return Err(error),
                _ => continue,
            };
            for (entry, kind) in entries {
                if protected.has(&entry.path(), is_top) {
                    continue;
                }
                let path = folder.join(entry.file_name());
                if kind == OPEN {
                    pending.push_back(path.clone());
                }
                // A folder stays closed until all of it is in the listing.
                listing.0.insert(path, if kind == OPEN { CLOSED } else { kind });
            }
            if let Some(kind) = listing.0.get_mut(&folder) {
                *kind = OPEN;
            }
        }
        Ok(listing)
    }
}

/// The files in the folder, each with its kind.
fn entries(folder: &Path) -> io::Result<Vec<(DirEntry, u8)>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let kind = kind(entry.file_type()?);
        Ok((entry, kind))
    });
    entries.collect()
}

fn kind(file_type: FileType) -> u8 {
    match file_type {
        it if it.is_dir() => OPEN,
        it if it.is_symlink() => b'l',
        it if it.is_file() => b'f',
        it if it.is_fifo() => b'p',
        it if it.is_socket() => b's',
        _ => b'o',
    }
}

#[cfg(test)]
mod tests;
