//! The end of unpacking, when every file exists: links, then the folders' modes and times.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Mode, Timespec, Timestamps, UTIME_OMIT};

use super::super::Staged;
use super::super::error::Problem;
use super::super::links::Link;
use super::{Deferred, FolderCache, Jail, conflict_or};

/// Every folder has these bits while the job runs, so that its command can use it.
const OWNER_BITS: u32 = 0o700;

impl Jail<'_> {
    /// Creates the links, sets the folders' modes and times, and logs the warnings. Every thread that writes must have ended.
    pub(in super::super) fn finish(self) -> Result<Staged, Problem> {
        let Deferred { links, folders, warnings, .. } = std::mem::take(&mut *self.deferred());
        let mut cache = FolderCache::default();
        for (path, Link { target, modified }) in links.into_sorted() {
            self.stop.check()?;
            let (folder, name) = self.parent(&path, &mut cache)?;
            rustix::fs::symlinkat(&target[..], folder, name).map_err(|error| conflict_or(&path, error))?;
            if let Some(modified) = modified {
                let set = rustix::fs::utimensat(folder, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW);
                set.map_err(|error| Problem::writing(&path, &error.into()))?;
            }
        }
        // Last, because each new file changes its folder's time.
        for (path, attributes) in folders.into_iter().rev() {
            self.stop.check()?;
            let folder = self.open_folder(&path, &mut cache)?;
            let mut set = set_mode(folder, attributes.mode | OWNER_BITS);
            if let Some(modified) = attributes.modified {
                set = set.and_then(|()| rustix::fs::futimens(folder, &times(modified)));
            }
            set.map_err(|error| Problem::writing(&path, &error.into()))?;
        }
        warnings.log();
        Ok(Staged { bytes: self.tally.bytes(), entries: self.tally.entries() })
    }
}

pub(super) fn set_mode(file: impl AsFd, mode: u32) -> rustix::io::Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o777))
}

/// Sets the modification time and leaves the access time unchanged.
pub(super) fn times(modified: Timespec) -> Timestamps {
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps { last_access: unchanged, last_modification: modified }
}
