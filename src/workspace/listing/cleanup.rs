//! Removes the files that are not in a listing.

use std::fs::DirEntry;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::mounts;
use super::super::removal::{Size, measure, remove_tree, unlock};
use super::{CLOSED, Listing, OPEN, Protected, entries};

/// The result of a removal.
#[derive(Default)]
pub(in super::super) struct Removed {
    pub(in super::super) size: Size,
    /// Files and folders that could not be removed, belong to another user, or contain a mount point.
    pub(in super::super) left: u64,
    /// The first error.
    pub(in super::super) error: Option<io::Error>,
}

impl Listing {
    /// Removes each file of `top` whose name and type are not in this listing. A listed file stays, even if its content has
    /// changed. Follows no link. A folder that contains a mount point stays.
    pub(in super::super) fn remove_others(&self, top: &Path, protected: &Protected<'_>) -> io::Result<Removed> {
        self.remove_others_around(&mounts::points()?, top, protected)
    }

    pub(super) fn remove_others_around(
        &self,
        mounts: &[PathBuf],
        top: &Path,
        protected: &Protected<'_>,
    ) -> io::Result<Removed> {
        let user = rustix::process::geteuid().as_raw();
        let mut removed = Removed::default();
        let mut pending = vec![PathBuf::new()];
        while let Some(folder) = pending.pop() {
            let is_top = folder.as_os_str().is_empty();
            let entries = match unlocked_entries(&top.join(&folder)) {
                Err(error) if is_top => return Err(error),
                Err(error) => {
                    removed.fail(error);
                    continue;
                }
                Ok(entries) => entries,
            };
            for (entry, file_type) in entries {
                let (path, name) = (entry.path(), folder.join(entry.file_name()));
                if protected.has(&path, is_top) {
                    continue;
                }
                if mounts.iter().any(|mount| mount.starts_with(&path)) {
                    removed.left += u64::from(!self.0.contains_key(&name));
                    continue;
                }
                match self.0.get(&name) {
                    Some(&OPEN) if file_type == OPEN => pending.push(name),
                    Some(&CLOSED) if file_type == OPEN => {}
                    Some(&known) if file_type == known => {}
                    _ => match entry.metadata() {
                        Ok(metadata) if metadata.uid() == user => removed.remove(&path, file_type == OPEN),
                        Ok(_) => removed.left += 1,
                        Err(error) => removed.fail(error),
                    },
                }
            }
        }
        Ok(removed)
    }
}

impl Removed {
    fn remove(&mut self, path: &Path, is_folder: bool) {
        let size = measure(path);
        let remove = || if is_folder { remove_tree(path) } else { std::fs::remove_file(path) };
        let removed = remove().or_else(|_| {
            // The command may have locked the parent folder.
            path.parent().map_or(Ok(()), unlock)?;
            remove()
        });
        match removed {
            Ok(()) => self.size += size,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.left += 1;
        self.error.get_or_insert(error);
    }
}

/// The same, for a folder that a command may have locked.
fn unlocked_entries(folder: &Path) -> io::Result<Vec<(DirEntry, u8)>> {
    entries(folder).or_else(|_| {
        unlock(folder)?;
        entries(folder)
    })
}
