//! Removes the files that a command leaves in the work folder outside the job's folder (`CLEAN_TMP`). The worker lists the work
//! folder before the command starts, and removes the new files after the command has ended.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use super::listing::{Listing, Protected, Removed};
use super::lock::{other_worker_lives, reset_lock};
use super::removal::{remove_tree, unlock};

/// The file in the worker's own folder that holds the listing while a command runs. If the command kills the worker, for example
/// by using up its memory, the next process reads the file.
///
/// The command may change the file but gains nothing. The worker removes only files in the work folder that belong to its user,
/// which the command can remove itself. No job's folder has this name.
const RECORD: &str = ".listing";

/// The files outside a job's folder, before its command starts.
pub(super) struct Leftovers {
    /// The folder to clean, `WORK_FOLDER`.
    top: PathBuf,
    /// The worker's own folder in it.
    own: PathBuf,
    /// The folder that other code removes: the job's, or the worker's own.
    excluded: PathBuf,
    before: Mutex<Option<Listing>>,
}

impl Leftovers {
    /// The leftovers of the job in the folder `job`, which is in the worker's `own` folder.
    pub(super) fn of_job(top: &Path, own: &Path, job: &Path) -> Self {
        Self::new(top, own, job)
    }

    /// The leftovers of an earlier process, if it left a listing in the worker's `own` folder.
    pub(super) fn of_an_earlier_process(top: &Path, own: &Path) -> Self {
        let leftovers = Self::new(top, own, own);
        // A command may have locked the folder.
        let _ = unlock(own);
        let before = Listing::read(&leftovers.record());
        Self { before: Mutex::new(before), ..leftovers }
    }

    fn new(top: &Path, own: &Path, excluded: &Path) -> Self {
        // Mount points are listed by their real paths.
        let real = std::fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
        let in_real = |path: &Path| path.strip_prefix(top).map_or_else(|_| path.to_owned(), |inner| real.join(inner));
        Self { own: in_real(own), excluded: in_real(excluded), before: Mutex::new(None), top: real }
    }

    fn record(&self) -> PathBuf {
        self.own.join(RECORD)
    }

    /// Whether another worker uses the same work folder. New files may then belong to its command.
    fn is_shared(&self) -> bool {
        static LOGGED: Once = Once::new();
        let is_shared = other_worker_lives(&self.top, &self.own);
        if is_shared {
            LOGGED.call_once(|| {
                tracing::info!(
                    "skipped CLEAN_TMP because another worker uses WORK_FOLDER; set a separate WORK_FOLDER for each worker"
                );
            });
        }
        is_shared
    }

    /// Lists the present files. Without a listing, nothing is removed later.
    pub(super) fn list_files(&self) {
        if self.is_shared() {
            return;
        }
        let record = self.record();
        let listing = Listing::take(&self.top, &Protected { folder: &self.excluded, own: &self.own, record: &record });
        let listing = listing.inspect_err(|error| {
            tracing::warn!(%error, "could not list the work folder; the files that the command leaves there stay (CLEAN_TMP)");
        });
        if let Some(Err(error)) = listing.as_ref().ok().map(|listing| listing.write(&record)) {
            tracing::warn!(
                %error,
                "could not write the listing of the work folder; if the command kills the worker, the files that it leaves stay"
            );
        }
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = listing.ok();
    }

    /// Removes the files that were added since [`Leftovers::list_files`]. All processes of the command must have ended.
    pub(super) fn remove(&self) {
        let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let record = self.record();
        let _ = unlock(&self.top).and_then(|()| unlock(&self.own));
        // The command may have replaced each of these files by a folder.
        let reset = reset_lock(&self.own).and(remove_tree(&record));
        if let Err(error) = reset {
            tracing::warn!(%error, "could not reset the worker's lock or remove the listing of the work folder");
        }
        if self.is_shared() {
            return;
        }
        let protected = Protected { folder: &self.excluded, own: &self.own, record: &record };
        match before.remove_others(&self.top, &protected) {
            Ok(removed) => log(removed),
            Err(error) => {
                tracing::warn!(%error, "could not list the files that the command left in the work folder; they stay");
            }
        }
    }
}

/// Logs the result. File names are not logged, because the command chose them.
fn log(removed: Removed) {
    let Removed { size, left, error } = removed;
    if size.entries > 0 {
        tracing::info!(
            leftoverEntries = size.entries,
            leftoverBytes = size.bytes,
            "removed the files that the command left in the work folder"
        );
    }
    if left > 0 {
        let error = error.map_or_else(
            || "they belong to another user or contain a mount point".to_owned(),
            |error| error.to_string(),
        );
        tracing::warn!(
            leftoversLeft = left,
            error,
            "could not remove all files that the command left in the work folder; later jobs have less space"
        );
    }
}

#[cfg(test)]
mod tests;
