//! The worker's own part of `/tmp`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::removal::remove_tree;

/// More workers than this on one machine are a mistake; Lambda gives each its own `/tmp`.
const MOST: u32 = 1000;

/// A folder that belongs to this process alone for as long as this lives.
pub struct WorkFolder {
    path: PathBuf,
    _lock: File,
}

impl WorkFolder {
    /// Takes the first `codepipeline-worker-<n>` in `parent` that no living process has, and empties it: on Lambda `/tmp`
    /// survives a reset of the runtime, and with it what an aborted job left there.
    ///
    /// # Errors
    /// When `parent` can't be written to, or what an earlier process left can't be removed.
    pub fn take(parent: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        for number in 0..MOST {
            let path = parent.join(format!("codepipeline-worker-{number}"));
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(path.with_extension("lock"))?;
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => continue,
                Err(error) => return Err(error.into()),
            }
            remove_tree(&path)?;
            std::fs::create_dir(&path)?;
            return Ok(Self { path, _lock: lock });
        }
        Err(io::Error::other(format!("all of its {MOST} folders are taken by living processes")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_workers_in_one_place_have_a_folder_each() {
        let parent = tempfile::tempdir().unwrap();
        let first = WorkFolder::take(parent.path()).unwrap();
        std::fs::write(first.path().join("busy"), "").unwrap();
        let second = WorkFolder::take(parent.path()).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().join("busy").exists());
    }

    #[test]
    fn what_a_dead_worker_left_is_gone_and_nothing_else_is() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("foreign"), "").unwrap();
        let first = WorkFolder::take(parent.path()).unwrap();
        std::fs::write(first.path().join("left"), "").unwrap();
        drop(first);
        let second = WorkFolder::take(parent.path()).unwrap();
        assert!(!second.path().join("left").exists());
        assert!(parent.path().join("foreign").exists());
    }
}
