//! Replaces earlier entries: the last entry of a name wins, unless the earlier one is a folder with content.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::super::error::Problem;
use super::super::limits::EntryClass;
use super::{FolderCache, Jail, conflict, conflict_or, split};

impl Jail<'_> {
    /// Creates a file in `folder` and counts it. Removes the entry at `path` if there is one.
    pub(super) fn create_file<T>(
        &self,
        folder: &OwnedFd,
        path: &[u8],
        create: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T, Problem> {
        let created = match create() {
            Err(Errno::EXIST) => {
                self.remove(folder, path)?;
                create()
            }
            result => result,
        };
        let created = created.map_err(|error| conflict_or(path, error))?;
        self.tally.add(EntryClass::Files).inspect_err(|_| {
            let _ = rustix::fs::unlinkat(folder, split(path).1, AtFlags::empty());
        })?;
        Ok(created)
    }

    /// Creates the folder of `path`, and removes the entry at `path`.
    pub(super) fn make_room(&self, path: &[u8], cache: &mut FolderCache) -> Result<(), Problem> {
        self.stop.check()?;
        let (folder, _) = self.parent(path, cache)?;
        self.replace_link(path)?;
        self.remove(folder, path)
    }

    /// Removes the file or the empty folder at `path`, if there is one. Links are not on the disk yet.
    fn remove(&self, folder: &OwnedFd, path: &[u8]) -> Result<(), Problem> {
        let (_, name) = split(path);
        match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            Ok(()) => return self.tally.replaced(EntryClass::Files),
            Err(_) => {}
        }
        let mut deferred = self.deferred();
        if deferred.links.has_any_below(path) {
            return Err(conflict(path));
        }
        rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR).map_err(|error| conflict_or(path, error))?;
        if deferred.folders.remove(path).is_some() {
            deferred.folder_bytes -= path.len();
        }
        self.tally.replaced(EntryClass::FoldersAndLinks)
    }

    /// Removes the recorded link at `path`, if there is one.
    pub(super) fn replace_link(&self, path: &[u8]) -> Result<(), Problem> {
        if self.deferred().links.remove(path) { self.tally.replaced(EntryClass::FoldersAndLinks) } else { Ok(()) }
    }
}
