//! The worker's own part of `/tmp`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::lock::{NAME, open_lock};
use super::removal::{remove_tree, unlock};

/// More workers than this on one machine are a mistake; Lambda gives each its own `/tmp`.
const MOST: u32 = 1000;

/// A folder that belongs to this process alone for as long as this lives.
pub struct WorkerFolder {
    path: PathBuf,
    _lock: File,
}

impl WorkerFolder {
    /// Takes the first `codepipeline-worker-<n>` in `parent` that no living process has, and empties it: on Lambda `/tmp`
    /// survives a reset of the runtime, and with it what an aborted job left there.
    ///
    /// # Errors
    /// When `parent` can't be written to, or what an earlier process left can't be removed.
    pub fn take(parent: &Path) -> io::Result<Self> {
        Self::take_after(parent, |_| {})
    }

    /// The same, and cleans `parent` if an earlier process died while it ran a command: it left a list of the files from before
    /// that command. Without such a list all files stay.
    ///
    /// # Errors
    /// As [`WorkerFolder::take`]. Leftovers that can't be removed are no error.
    pub fn take_and_clean(parent: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        unlock(parent)?;
        Self::take_after(parent, |own| Leftovers::of_an_earlier_process(parent, own).remove())
    }

    fn take_after(parent: &Path, clean: impl Fn(&Path)) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        for number in 0..MOST {
            let path = parent.join(format!("{NAME}{number}"));
            let lock = open_lock(&path.with_extension("lock"))?;
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => continue,
                Err(error) => return Err(error.into()),
            }
            lock.set_len(0)?;
            clean(&path);
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
        let first = WorkerFolder::take(parent.path()).unwrap();
        std::fs::write(first.path().join("busy"), "").unwrap();
        let second = WorkerFolder::take(parent.path()).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().join("busy").exists());
    }

    #[test]
    fn a_lock_that_a_command_replaced_keeps_no_worker_from_its_start() {
        let parent = tempfile::tempdir().unwrap();
        let (lock, elsewhere) = (parent.path().join("codepipeline-worker-0.lock"), parent.path().join("elsewhere"));
        let replace: [&dyn Fn(); 3] = [
            &|| rustix::fs::mkfifoat(rustix::fs::CWD, &lock, rustix::fs::Mode::RWXU).unwrap(),
            &|| std::os::unix::fs::symlink(&elsewhere, &lock).unwrap(),
            &|| std::fs::create_dir(&lock).unwrap(),
        ];
        for replace in replace {
            replace();
            drop(WorkerFolder::take(parent.path()).unwrap());
            assert!(lock.symlink_metadata().unwrap().is_file() && !elsewhere.exists());
            std::fs::remove_file(&lock).unwrap();
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("codepipeline-worker-0"), "x").unwrap();
        assert!(WorkerFolder::take(parent.path()).unwrap().path().is_dir());
    }

    #[test]
    fn what_a_dead_worker_left_is_gone_and_nothing_else_is() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("foreign"), "").unwrap();
        let first = WorkerFolder::take(parent.path()).unwrap();
        std::fs::write(first.path().join("left"), "").unwrap();
        drop(first);
        let second = WorkerFolder::take(parent.path()).unwrap();
        assert!(!second.path().join("left").exists());
        assert!(parent.path().join("foreign").exists());
    }
}
