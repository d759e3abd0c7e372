//! The uploads that are neither completed nor aborted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::S3Result;

use super::folder::{Plan, Upload, no_upload};
use crate::ids::random_seed;
use crate::types::Timestamp;

/// The folder of all uploads, within the emulator's data folder.
const UPLOADS: &str = "uploads";

/// Uploads that are neither completed nor aborted, by their ids.
pub(in crate::s3) struct Uploads {
    root: PathBuf,
    next: AtomicU64,
    open: Mutex<BTreeMap<String, Arc<Upload>>>,
}

impl Uploads {
    /// Opens the uploads of an earlier run. Removes those that have ended, as `over` knows by bucket, key and id.
    pub(in crate::s3) fn open(data: &Path, over: impl Fn(&str, &str, &str) -> bool) -> io::Result<Self> {
        let root = data.join(UPLOADS);
        std::fs::create_dir_all(&root)?;
        let mut open = BTreeMap::new();
        let mut last = 0;
        for entry in std::fs::read_dir(&root)? {
            let folder = entry?.path();
            // Anything else in the folder is not the emulator's, and is left alone.
            let Some(id) = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            let Some(number) = number_of(&id) else { continue };
            last = last.max(number);
            match Upload::reopen(&folder)? {
                Some(upload) if !over(&upload.plan.bucket, &upload.plan.key, &id) => {
                    open.insert(id, Arc::new(upload));
                }
                _ => std::fs::remove_dir_all(&folder)?,
            }
        }
        Ok(Self { root, next: AtomicU64::new(last + 1), open: Mutex::new(open) })
    }

    /// Begins an upload, and returns its id. Ids of one key ascend with time, as listings need.
    pub(super) fn begin(&self, plan: Plan, begun: Timestamp) -> io::Result<String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:012x}{number:016x}{:016x}", begun.0, random_seed());
        let upload = Upload::create(self.root.join(&id), plan)?;
        self.lock().insert(id.clone(), Arc::new(upload));
        Ok(id)
    }

    pub(super) fn get(&self, id: &str, bucket: &str, key: &str) -> S3Result<Arc<Upload>> {
        let open = self.lock();
        let found = open.get(id).filter(|upload| upload.plan.bucket == bucket && upload.plan.key == key);
        found.cloned().ok_or_else(no_upload)
    }

    /// Takes the upload for the one that completes or aborts it; one of two that try gets it.
    pub(super) fn take(&self, id: &str, bucket: &str, key: &str) -> S3Result<TakenUpload<'_>> {
        let upload = self.get(id, bucket, key)?;
        self.lock().remove(id).ok_or_else(no_upload)?;
        upload.seal(true);
        Ok(TakenUpload { uploads: self, id: id.to_owned(), upload })
    }

    /// The bucket's uploads, ordered by key and then by id.
    pub(super) fn of_bucket(&self, bucket: &str) -> Vec<(String, Arc<Upload>)> {
        let open = self.lock();
        let mut found: Vec<_> = open.iter().filter(|(_, upload)| upload.plan.bucket == bucket).collect();
        found.sort_by(|left, right| (&left.1.plan.key, left.0).cmp(&(&right.1.plan.key, right.0)));
        found.into_iter().map(|(id, upload)| (id.clone(), Arc::clone(upload))).collect()
    }

    /// Ends the uploads into a bucket that was removed: a bucket of the same name begins without them.
    pub(in crate::s3) fn forget(&self, bucket: &str) -> io::Result<()> {
        for (id, upload) in self.of_bucket(bucket) {
            // A request that completes or aborts it ends it.
            if let Ok(taken) = self.take(&id, bucket, &upload.plan.key) {
                taken.end()?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Upload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An upload that only its holder knows. It is put back if it is not ended.
pub(super) struct TakenUpload<'a> {
    uploads: &'a Uploads,
    pub(super) id: String,
    pub(super) upload: Arc<Upload>,
}

impl TakenUpload<'_> {
    /// Ends the upload. Its parts go once requests that still write or read them are done.
    pub(super) fn end(&self) -> io::Result<()> {
        self.upload.end()
    }
}

impl Drop for TakenUpload<'_> {
    fn drop(&mut self) {
        if !self.upload.has_ended() {
            self.upload.seal(false);
            self.uploads.lock().insert(self.id.clone(), Arc::clone(&self.upload));
        }
    }
}

/// The number within an upload's id.
fn number_of(id: &str) -> Option<u64> {
    if id.len() != 44 || !id.is_ascii() {
        return None;
    }
    u64::from_str_radix(&id[12..28], 16).ok()
}
