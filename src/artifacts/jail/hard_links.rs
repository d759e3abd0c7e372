//! Hard links: a second name for an earlier entry.

use rustix::fs::AtFlags;

use super::super::error::{Problem, shown};
use super::super::links::Link;
use super::{FolderCache, Jail, is_file};

impl Jail<'_> {
    /// Creates a second name for a file or a link of an earlier entry.
    pub(in super::super) fn hard_link(&self, path: &[u8], to: &[u8], cache: &mut FolderCache) -> Result<(), Problem> {
        if path == to && self.exists(to)? {
            return self.count_ignored();
        }
        let link = self.deferred().links.get(to).cloned();
        if let Some(Link { target, modified }) = link {
            return self.link(path, target, modified, cache);
        }
        self.stop.check()?;
        let mut other = FolderCache::default();
        let (from, from_name) = self.existing_parent(to, &mut other)?.ok_or_else(|| no_file(path, to))?;
        let found = rustix::fs::statat(from, from_name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| no_file(path, to))?;
        if !is_file(found.st_mode) {
            return Err(no_file(path, to));
        }
        let (folder, name) = self.parent(path, cache)?;
        let existing = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        if existing.is_ok_and(|existing| (existing.st_dev, existing.st_ino) == (found.st_dev, found.st_ino)) {
            return self.count_ignored();
        }
        self.replace_link(path)?;
        self.create_file(folder, path, || rustix::fs::linkat(from, from_name, folder, name, AtFlags::empty()))
    }

    fn exists(&self, path: &[u8]) -> Result<bool, Problem> {
        if self.deferred().links.get(path).is_some() {
            return Ok(true);
        }
        let mut other = FolderCache::default();
        let Some((folder, name)) = self.existing_parent(path, &mut other)? else { return Ok(false) };
        Ok(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|found| is_file(found.st_mode)))
    }
}

fn no_file(path: &[u8], to: &[u8]) -> Problem {
    let (path, to) = (shown(path), shown(to));
    Problem::Archive(format!(
        "the hard link `{path}` names `{to}`, but no earlier entry of the archive is a file of this name"
    ))
}
