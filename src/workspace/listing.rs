//! A list of all files in a folder at one moment.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{DirEntry, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::lock::{is_held, is_worker_name};
pub(super) use cleanup::Removed;

mod cleanup;
mod record;

/// The limit for the names in a listing: 2,000 names take milliseconds. A folder that would exceed it is not listed. Lambda's
/// `/tmp` is empty at first, so only an extension makes a listing long.
const MAX_NAMES: usize = 2_000;

/// A folder whose content is listed.
const OPEN: u8 = b'd';
/// A folder whose content is not listed, because it could not be read or is too large.
const CLOSED: u8 = b'c';

/// The paths in a folder and its subfolders, and the file type of each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<PathBuf, u8>);

/// Paths that are not listed and never removed.
pub(super) struct Protected<'a> {
    /// The job's folder, or at the start of a process the worker's own folder.
    pub(super) folder: &'a Path,
    /// The worker's own folder. Its content may be listed.
    pub(super) own: &'a Path,
    /// The file that holds the listing.
    pub(super) record: &'a Path,
}

impl Protected<'_> {
    /// Whether `path` is protected. This includes the worker's own lock, and the folders and locks of other living workers. A
    /// name alone does not protect a file, because a command can use any name.
    fn has(&self, path: &Path, is_at_the_top: bool) -> bool {
        let has_worker_name = || path.file_name().is_some_and(is_worker_name);
        let lock = path.with_extension("lock");
        let is_taken = || path == self.own.with_extension("lock") || is_held(&lock);
        path == self.folder
            || path == self.record
            || (is_at_the_top && path != self.own && has_worker_name() && is_taken())
    }
}

impl Listing {
    /// Lists `top`. All names directly in it are listed. Its subfolders are listed up to the limit.
    pub(super) fn take(top: &Path, protected: &Protected<'_>) -> io::Result<Self> {
        let mut listing = Self(BTreeMap::new());
        let mut pending = VecDeque::from([PathBuf::new()]);
        while let Some(folder) = pending.pop_front() {
            let is_top = folder.as_os_str().is_empty();
            let entries = match entries(&top.join(&folder)) {
                Ok(entries) if is_top || listing.0.len() + entries.len() <= MAX_NAMES => entries,
                Err(error) if is_top => return Err(error),
                _ => continue,
            };
            for (entry, file_type) in entries {
                if protected.has(&entry.path(), is_top) {
                    continue;
                }
                let path = folder.join(entry.file_name());
                if file_type == OPEN {
                    pending.push_back(path.clone());
                }
                // A folder stays closed until its whole content is listed.
                listing.0.insert(path, if file_type == OPEN { CLOSED } else { file_type });
            }
            if let Some(file_type) = listing.0.get_mut(&folder) {
                *file_type = OPEN;
            }
        }
        Ok(listing)
    }
}

/// The files in a folder with their types.
fn entries(folder: &Path) -> io::Result<Vec<(DirEntry, u8)>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let file_type = type_code(entry.file_type()?);
        Ok((entry, file_type))
    });
    entries.collect()
}

fn type_code(file_type: FileType) -> u8 {
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
