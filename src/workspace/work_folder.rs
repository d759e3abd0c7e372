//! The worker's own part of `/tmp`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::leftovers::Leftovers;
use super::removal::{remove_tree, unlock};

/// More workers than this on one machine are a mistake; Lambda gives each its own `/tmp`.
const MOST: u32 = 1000;

/// The beginning of the names of workers' folders and locks.
const NAME: &str = "codepipeline-worker-";

/// Whether this is the name of a worker's folder or of its lock.
pub(super) fn is_a_workers(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.strip_suffix(".lock").unwrap_or(name).strip_prefix(NAME));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a living process holds this lock.
pub(super) fn is_held(lock: &Path) -> bool {
    if !lock.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return false;
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let Ok(lock) = OpenOptions::new().read(true).custom_flags(flags).open(lock) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

/// Whether a living worker other than the one in the folder `own` has a folder in `parent`.
pub(super) fn others_live(parent: &Path, own: &Path) -> bool {
    let own = own.with_extension("lock");
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut paths = entries.filter(|entry| is_a_workers(&entry.file_name())).map(|entry| entry.path());
    paths.any(|path| path.extension().is_some() && path != own && is_held(&path))
}

/// Removes what a command wrote into the lock of the worker in the folder `own`, or put in its place.
pub(super) fn tidy_lock(own: &Path) -> io::Result<()> {
    open_lock(&own.with_extension("lock"))?.set_len(0)
}

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
        Self::take_after(parent, |_| {})
    }

    /// The same, and cleans `parent` if an earlier process died while it ran a command: it left a list of the files from before
    /// that command. Without such a list all files stay.
    ///
    /// # Errors
    /// As [`WorkFolder::take`]. Leftovers that can't be removed are no error.
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

/// Opens the file of a lock. A command of an earlier process may have put a link there, or a named pipe that would keep the
/// worker from its start forever.
fn open_lock(file: &Path) -> io::Result<File> {
    if file.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        remove_tree(file)?;
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(flags).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_makes_a_name_a_workers() {
        for name in ["codepipeline-worker-0", "codepipeline-worker-12.lock"] {
            assert!(is_a_workers(OsStr::new(name)), "{name}");
        }
        for name in
            ["codepipeline-worker-", "codepipeline-worker-1.old", "codepipeline-worker-x", "codepipeline-worker"]
        {
            assert!(!is_a_workers(OsStr::new(name)), "{name}");
        }
    }

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
            drop(WorkFolder::take(parent.path()).unwrap());
            assert!(lock.symlink_metadata().unwrap().is_file() && !elsewhere.exists());
            std::fs::remove_file(&lock).unwrap();
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("codepipeline-worker-0"), "x").unwrap();
        assert!(WorkFolder::take(parent.path()).unwrap().path().is_dir());
    }

    #[test]
    fn a_lock_is_held_while_its_worker_lives() {
        let parent = tempfile::tempdir().unwrap();
        let first = WorkFolder::take(parent.path()).unwrap();
        let lock = first.path().with_extension("lock");
        assert!(is_held(&lock) && !others_live(parent.path(), first.path()));
        let second = WorkFolder::take(parent.path()).unwrap();
        assert!(others_live(parent.path(), first.path()));
        drop(second);
        assert!(!others_live(parent.path(), first.path()));
        drop(first);
        assert!(!is_held(&lock));
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
