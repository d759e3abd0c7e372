//! The worker's own folder in `WORK_FOLDER`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::lock::{NAME, open_lock};
use super::removal::{remove_tree, unlock};

/// The limit for workers in one work folder. More are a mistake: on Lambda, each worker has its own `/tmp`.
const MAX_WORKERS: u32 = 1000;

/// A folder that belongs only to this process until it is dropped.
pub struct WorkerFolder {
    path: PathBuf,
    _lock: File,
}

impl WorkerFolder {
    /// Takes the first `codepipeline-worker-<n>` in `parent` that no living process holds, and empties it. On Lambda, `/tmp` and
    /// the files of an aborted job survive a reset of the runtime.
    ///
    /// # Errors
    /// If `parent` can't be written to, or the files of an earlier process can't be removed.
    pub fn take(parent: &Path) -> io::Result<Self> {
        Self::take_after(parent, |_| {})
    }

    /// The same, and also cleans `parent` if an earlier process died while it ran a command and left a listing. Without a listing,
    /// all files stay.
    ///
    /// # Errors
    /// The same as [`WorkerFolder::take`]. Leftovers that can't be removed are not an error.
    pub fn take_and_clean(parent: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        unlock(parent)?;
        Self::take_after(parent, |own| Leftovers::of_an_earlier_process(parent, own).remove())
    }

    fn take_after(parent: &Path, clean: impl Fn(&Path)) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        for number in 0..MAX_WORKERS {
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
        Err(io::Error::other(format!("living processes hold all {MAX_WORKERS} folders in it")))
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_workers_in_one_work_folder_have_separate_folders() {
        let parent = tempfile::tempdir().unwrap();
        let first = WorkerFolder::take(parent.path()).unwrap();
        std::fs::write(first.path().join("busy"), "").unwrap();
        let second = WorkerFolder::take(parent.path()).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().join("busy").exists());
    }

    #[test]
    fn a_replaced_lock_does_not_block_a_worker() {
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
    fn a_file_instead_of_the_folder_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("codepipeline-worker-0"), "x").unwrap();
        assert!(WorkerFolder::take(parent.path()).unwrap().path().is_dir());
    }

    #[test]
    fn only_the_files_of_a_dead_worker_are_removed() {
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
