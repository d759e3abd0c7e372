//! Places that may be taken: the last entry of a name wins, unless a folder with content is in its place.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::super::error::{Problem, shown};
use super::super::limits::Counted;
use super::super::links::Link;
use super::{Jail, Nearby, is_file, split, taken, taken_or};

impl Jail<'_> {
    /// Makes a second name for a file or a link that this archive has unpacked already.
    pub(in super::super) fn hard_link(&self, path: &[u8], to: &[u8], nearby: &mut Nearby) -> Result<(), Problem> {
        if path == to && self.exists(to)? {
            return self.header();
        }
        let link = self.last().links.get(to).cloned();
        if let Some(Link { target, modified }) = link {
            return self.link(path, target, modified, nearby);
        }
        self.stop.check()?;
        let mut beside = Nearby::default();
        let (from, from_name) = self.existing_parent(to, &mut beside)?.ok_or_else(|| no_file(path, to))?;
        let found = rustix::fs::statat(from, from_name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| no_file(path, to))?;
        if !is_file(found.st_mode) {
            return Err(no_file(path, to));
        }
        let (folder, name) = self.parent(path, nearby)?;
        let there = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        if there.is_ok_and(|there| (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)) {
            return self.header();
        }
        self.replace_link(path)?;
        self.create_file(folder, path, || rustix::fs::linkat(from, from_name, folder, name, AtFlags::empty()))
    }

    fn exists(&self, path: &[u8]) -> Result<bool, Problem> {
        if self.last().links.get(path).is_some() {
            return Ok(true);
        }
        let mut beside = Nearby::default();
        let Some((folder, name)) = self.existing_parent(path, &mut beside)? else { return Ok(false) };
        Ok(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|found| is_file(found.st_mode)))
    }

    /// Creates a file in `folder` and counts it, after it removed what is at `path`.
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
        let created = created.map_err(|error| taken_or(path, error))?;
        self.tally.add(Counted::Files).inspect_err(|_| {
            let _ = rustix::fs::unlinkat(folder, split(path).1, AtFlags::empty());
        })?;
        Ok(created)
    }

    /// Makes the folder that `path` lies in, and removes what is at `path`.
    pub(super) fn make_room(&self, path: &[u8], nearby: &mut Nearby) -> Result<(), Problem> {
        self.stop.check()?;
        let (folder, _) = self.parent(path, nearby)?;
        self.replace_link(path)?;
        self.remove(folder, path)
    }

    /// Removes the file or the empty folder at `path`, if there is one. No link is on the disk yet.
    fn remove(&self, folder: &OwnedFd, path: &[u8]) -> Result<(), Problem> {
        let (_, name) = split(path);
        match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            Ok(()) => return self.tally.replaced(Counted::Files),
            Err(_) => {}
        }
        let mut last = self.last();
        if last.links.has_any_below(path) {
            return Err(taken(path));
        }
        rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR).map_err(|error| taken_or(path, error))?;
        if last.folders.remove(path).is_some() {
            last.folder_bytes -= path.len();
        }
        self.tally.replaced(Counted::FoldersAndLinks)
    }

    pub(super) fn replace_link(&self, path: &[u8]) -> Result<(), Problem> {
        if self.last().links.remove(path) { self.tally.replaced(Counted::FoldersAndLinks) } else { Ok(()) }
    }
}

fn no_file(path: &[u8], to: &[u8]) -> Problem {
    let (path, to) = (shown(path), shown(to));
    Problem::Archive(format!(
        "the hard link `{path}` names `{to}`, which is no file that came before it in the archive"
    ))
}
