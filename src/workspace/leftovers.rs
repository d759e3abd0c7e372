//! Files that a command leaves in the work folder outside its own folder (`CLEAN_TMP`). The worker lists the work folder before
//! the command starts, and removes the new files after its end.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use super::listing::{Listing, Protected, Removed};
use super::lock::{other_worker_lives, reset_lock};
use super::removal::{remove_tree, unlock};

/// The file in the worker's own folder that holds the listing while a command runs. A process that the command kills, by
/// using up its memory for example, leaves the file to the next process.
///
/// The command may change the file. It gains nothing: only what is in the work folder and belongs to this user is removed,
/// which the command could remove itself. No job's folder has such a name.
const RECORD: &str = ".listing";

/// The surroundings of a job's folder. Its command may add files there.
pub(super) struct Leftovers {
    /// The folder to clean, `WORK_FOLDER`.
    top: PathBuf,
    /// The worker's own folder in it.
    own: PathBuf,
    /// The folder that is removed in another way: the job's, or all of the worker's own folder.
    kept: PathBuf,
    before: Mutex<Option<Listing>>,
}

impl Leftovers {
    /// Those of the command of the job in the folder `job`, which is in the worker's `own` folder.
    pub(super) fn of_job(top: &Path, own: &Path, job: &Path) -> Self {
        Self::new(top, own, job)
    }

    /// Those of the command that an earlier process ran, if it left its listing in what is the worker's `own` folder now.
    pub(super) fn of_an_earlier_process(top: &Path, own: &Path) -> Self {
        let leftovers = Self::new(top, own, own);
        // A command may have locked the folder.
        let _ = unlock(own);
        let before = Listing::read(&leftovers.record());
        Self { before: Mutex::new(before), ..leftovers }
    }

    fn new(top: &Path, own: &Path, kept: &Path) -> Self {
        // Mount points are known by their real paths.
        let real = std::fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        let in_real = |path: &Path| path.strip_prefix(top).map_or_else(|_| path.to_owned(), |inner| real.join(inner));
        Self { own: in_real(own), kept: in_real(kept), before: Mutex::new(None), top: real }
    }

    fn record(&self) -> PathBuf {
        self.own.join(RECORD)
    }

    /// Whether another worker lives in the same folder. Then a new file may be its command's.
    fn is_shared(&self) -> bool {
        static LOGGED: Once = Once::new();
        let is_shared = other_worker_lives(&self.top, &self.own);
        if is_shared {
            LOGGED.call_once(|| {
                tracing::info!(
                    "another worker has a folder in WORK_FOLDER, so what commands leave there stays; for CLEAN_TMP give each \
                     worker a WORK_FOLDER of its own"
                );
            });
        }
        is_shared
    }

    /// Lists the files that are there now. Without a listing nothing is removed later.
    pub(super) fn list_files(&self) {
        if self.is_shared() {
            return;
        }
        let record = self.record();
        let listing = Listing::take(&self.top, &Protected { folder: &self.kept, own: &self.own, record: &record });
        let listing = listing.inspect_err(|error| {
            tracing::warn!(%error, "could not list the work folder, so what the command leaves there stays (CLEAN_TMP)");
        });
        if let Some(Err(error)) = listing.as_ref().ok().map(|listing| listing.write(&record)) {
            tracing::warn!(
                %error,
                "could not keep the listing of the work folder: if the command kills its worker, what it leaves there stays"
            );
        }
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = listing.ok();
    }

    /// Removes the files that were not there at [`Leftovers::list_files`]. All processes of the command have ended.
    pub(super) fn remove(&self) {
        let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let record = self.record();
        let _ = unlock(&self.top).and_then(|()| unlock(&self.own));
        // The command may have replaced each of them by a folder.
        let tidied = reset_lock(&self.own).and(remove_tree(&record));
        if let Err(error) = tidied {
            tracing::warn!(%error, "could not empty the worker's lock, or remove the listing of the work folder");
        }
        if self.is_shared() {
            return;
        }
        let kept = Protected { folder: &self.kept, own: &self.own, record: &record };
        match before.remove_others(&self.top, &kept) {
            Ok(removed) => log(removed),
            Err(error) => {
                tracing::warn!(%error, "could not look for what the command left in the work folder; it stays there");
            }
        }
    }
}

/// Names of files are not logged: the command chose them.
fn log(removed: Removed) {
    let Removed { size, left, error } = removed;
    if size.entries > 0 {
        tracing::info!(
            leftovers.entries = size.entries,
            leftovers.bytes = size.bytes,
            "removed what the command left in the work folder outside its own folder"
        );
    }
    if left > 0 {
        let error = error.map_or_else(
            || "it belongs to another user, or holds another file system".to_owned(),
            |error| error.to_string(),
        );
        tracing::warn!(
            leftovers.left = left,
            error,
            "could not remove all that the command left in the work folder; later jobs have less room"
        );
    }
}

#[cfg(test)]
mod tests;
