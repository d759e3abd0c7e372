//! Opening folders, name by name from the jail's own handle.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::super::error::Problem;
use super::super::limits::Counted;
use super::{FOLDER, Jail, Nearby, split, taken_or};

impl Jail<'_> {
    /// The open folder that `path` lies in, made where it is missing, and the last name of `path`.
    pub(super) fn parent<'p, 'n>(
        &self,
        path: &'p [u8],
        nearby: &'n mut Nearby,
    ) -> Result<(&'n OwnedFd, &'p [u8]), Problem> {
        let (folder, name) = split(path);
        Ok((self.open_folder(folder, nearby)?, name))
    }

    /// The same, of a folder that is there. Returns `None` if it is not.
    pub(super) fn existing_parent<'p, 'n>(
        &self,
        path: &'p [u8],
        nearby: &'n mut Nearby,
    ) -> Result<Option<(&'n OwnedFd, &'p [u8])>, Problem> {
        let (folder, name) = split(path);
        match self.open(folder, nearby, false) {
            Ok(open) => Ok(Some((open, name))),
            Err(Walk::Failed(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => Ok(None),
            Err(walk) => Err(walk.problem(folder)),
        }
    }

    /// Opens a folder, and makes it and those that it lies in where they are missing.
    pub(super) fn open_folder<'n>(&self, path: &[u8], nearby: &'n mut Nearby) -> Result<&'n OwnedFd, Problem> {
        self.open(path, nearby, true).map_err(|walk| walk.problem(path))
    }

    fn open<'n>(&self, path: &[u8], nearby: &'n mut Nearby, make: bool) -> Result<&'n OwnedFd, Walk> {
        let found = match nearby.0.take() {
            Some((open, folder)) if open == path => folder,
            _ => {
                let mut folder = self.root.try_clone().map_err(|_| Walk::Failed(Errno::MFILE))?;
                for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
                    folder = self.enter(&folder, name, make)?;
                }
                folder
            }
        };
        Ok(&nearby.0.insert((path.to_owned(), found)).1)
    }

    fn enter(&self, folder: &OwnedFd, name: &[u8], make: bool) -> Result<OwnedFd, Walk> {
        let open = || rustix::fs::openat(folder, name, FOLDER, Mode::empty()).map_err(Walk::Failed);
        match open() {
            Err(Walk::Failed(Errno::NOENT)) if make => {
                match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o755)) {
                    Ok(()) => self.tally.add(Counted::FoldersAndLinks).map_err(|problem| {
                        let _ = rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR);
                        Walk::Limit(problem)
                    })?,
                    // Another thread was faster.
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(Walk::Failed(error)),
                }
                open()
            }
            result => result,
        }
    }
}

/// Why a folder was not opened.
enum Walk {
    Failed(Errno),
    Limit(Problem),
}

impl Walk {
    fn problem(self, path: &[u8]) -> Problem {
        match self {
            Self::Failed(error) => taken_or(path, error),
            Self::Limit(problem) => problem,
        }
    }
}
