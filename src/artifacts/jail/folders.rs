//! Opens folders, name by name from the jail's own handle.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::super::error::Problem;
use super::super::limits::EntryClass;
use super::{FOLDER, FolderCache, Jail, conflict_or, split};

impl Jail<'_> {
    /// Opens the folder of `path`, and creates it if it is missing. Also returns the last name of `path`.
    pub(super) fn parent<'p, 'n>(
        &'n self,
        path: &'p [u8],
        cache: &'n mut FolderCache,
    ) -> Result<(&'n OwnedFd, &'p [u8]), Problem> {
        let (folder, name) = split(path);
        Ok((self.open_folder(folder, cache)?, name))
    }

    /// Opens the folder of `path`. Returns `None` if it does not exist.
    pub(super) fn existing_parent<'p, 'n>(
        &'n self,
        path: &'p [u8],
        cache: &'n mut FolderCache,
    ) -> Result<Option<(&'n OwnedFd, &'p [u8])>, Problem> {
        let (folder, name) = split(path);
        match self.open(folder, cache, false) {
            Ok(open) => Ok(Some((open, name))),
            Err(OpenError::Failed(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => Ok(None),
            Err(error) => Err(error.problem(folder)),
        }
    }

    /// Opens a folder. Creates it and its parents if they are missing.
    pub(super) fn open_folder<'n>(&'n self, path: &[u8], cache: &'n mut FolderCache) -> Result<&'n OwnedFd, Problem> {
        self.open(path, cache, true).map_err(|error| error.problem(path))
    }

    fn open<'n>(&'n self, path: &[u8], cache: &'n mut FolderCache, create: bool) -> Result<&'n OwnedFd, OpenError> {
        let mut end = cache.keep_above(path);
        while end < path.len() {
            let begin = if path[end] == b'/' { end + 1 } else { end };
            let length = path[begin..].iter().position(|byte| *byte == b'/');
            end = length.map_or(path.len(), |length| begin + length);
            if end > begin {
                let folder = self.enter(cache.last().unwrap_or(&self.root), &path[begin..end], create)?;
                cache.push(&path[..end], folder);
            }
        }
        Ok(cache.last().unwrap_or(&self.root))
    }

    fn enter(&self, folder: &OwnedFd, name: &[u8], create: bool) -> Result<OwnedFd, OpenError> {
        let open = || rustix::fs::openat(folder, name, FOLDER, Mode::empty()).map_err(OpenError::Failed);
        match open() {
            Err(OpenError::Failed(Errno::NOENT)) if create => {
                match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o755)) {
                    Ok(()) => self.tally.add(EntryClass::FoldersAndLinks).map_err(|problem| {
                        let _ = rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR);
                        OpenError::Limit(problem)
                    })?,
                    // Another thread created it first.
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(OpenError::Failed(error)),
                }
                open()
            }
            result => result,
        }
    }
}

/// Why a folder was not opened.
enum OpenError {
    Failed(Errno),
    Limit(Problem),
}

impl OpenError {
    fn problem(self, path: &[u8]) -> Problem {
        match self {
            Self::Failed(error) => conflict_or(path, error),
            Self::Limit(problem) => problem,
        }
    }
}
