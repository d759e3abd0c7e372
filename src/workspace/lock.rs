//! The lock of a worker's folder in `WORK_FOLDER`. A worker holds it as long as it lives.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::removal::remove_tree;

/// The prefix of the names of workers' folders and locks.
pub(super) const NAME: &str = "codepipeline-worker-";

/// Whether this is the name of a worker's folder or lock.
pub(super) fn is_worker_name(name: &OsStr) -> bool {
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
pub(super) fn other_worker_lives(parent: &Path, own: &Path) -> bool {
    let own = own.with_extension("lock");
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut paths = entries.filter(|entry| is_worker_name(&entry.file_name())).map(|entry| entry.path());
    paths.any(|path| path.extension().is_some() && path != own && is_held(&path))
}

/// Empties the lock of the worker in the folder `own`, because a command may have written to it or replaced it.
pub(super) fn reset_lock(own: &Path) -> io::Result<()> {
    open_lock(&own.with_extension("lock"))?.set_len(0)
}

/// Opens a lock. Replaces anything that is not a file: a command of an earlier process may have left a link, or a named pipe that
/// would block the worker's start forever.
pub(super) fn open_lock(file: &Path) -> io::Result<File> {
    if file.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        remove_tree(file)?;
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(flags).open(file)
}

#[cfg(test)]
mod tests {
    use super::super::WorkerFolder;
    use super::*;

    #[test]
    fn a_workers_name_ends_with_a_number() {
        for name in ["codepipeline-worker-0", "codepipeline-worker-12.lock"] {
            assert!(is_worker_name(OsStr::new(name)), "{name}");
        }
        for name in
            ["codepipeline-worker-", "codepipeline-worker-1.old", "codepipeline-worker-x", "codepipeline-worker"]
        {
            assert!(!is_worker_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_lock_is_held_while_its_worker_lives() {
        let parent = tempfile::tempdir().unwrap();
        let first = WorkerFolder::take(parent.path()).unwrap();
        let lock = first.path().with_extension("lock");
        assert!(is_held(&lock) && !other_worker_lives(parent.path(), first.path()));
        let second = WorkerFolder::take(parent.path()).unwrap();
        assert!(other_worker_lives(parent.path(), first.path()));
        drop(second);
        assert!(!other_worker_lives(parent.path(), first.path()));
        drop(first);
        assert!(!is_held(&lock));
    }
}
