//! Open uploads: neither completed nor aborted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::S3Result;

use super::folder::{Plan, Upload, no_upload};
use crate::ids::random_seed;
use crate::types::Timestamp;

/// The folder of the uploads, in the data folder.
const UPLOADS: &str = "uploads";

/// Open uploads by id.
pub(in crate::s3) struct Uploads {
    root: PathBuf,
    next: AtomicU64,
    open: Mutex<BTreeMap<String, Arc<Upload>>>,
}

impl Uploads {
    /// Opens the uploads of an earlier run. Removes those that have ended: `over` checks bucket, key and id.
    pub(in crate::s3) fn open(data: &Path, over: impl Fn(&str, &str, &str) -> bool) -> io::Result<Self> {
        let root = data.join(UPLOADS);
        std::fs::create_dir_all(&root)?;
        let mut open = BTreeMap::new();
        let mut last = 0;
        for entry in std::fs::read_dir(&root)? {
            let folder = entry?.path();
            // Other files in the folder do not belong to the emulator and stay.
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

    /// Begins an upload, and returns its id. Ids of a key ascend with time, as listings require.
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

    /// Takes the upload in order to complete or abort it. Only one of several callers gets it.
    pub(super) fn take(&self, id: &str, bucket: &str, key: &str) -> S3Result<TakenUpload<'_>> {
        let upload = self.get(id, bucket, key)?;
        self.lock().remove(id).ok_or_else(no_upload)?;
        upload.seal(true);
        Ok(TakenUpload { uploads: self, id: id.to_owned(), upload })
    }

    /// The bucket's uploads, sorted by key and id.
    pub(super) fn of_bucket(&self, bucket: &str) -> Vec<(String, Arc<Upload>)> {
        let open = self.lock();
        let mut found: Vec<_> = open.iter().filter(|(_, upload)| upload.plan.bucket == bucket).collect();
        found.sort_by(|left, right| (&left.1.plan.key, left.0).cmp(&(&right.1.plan.key, right.0)));
        found.into_iter().map(|(id, upload)| (id.clone(), Arc::clone(upload))).collect()
    }

    /// Ends the uploads of a removed bucket. A new bucket of the same name starts empty.
    pub(in crate::s3) fn forget(&self, bucket: &str) -> io::Result<()> {
        for (id, upload) in self.of_bucket(bucket) {
            // If a request is completing or aborting it, that request ends it.
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

/// An upload that only the holder can see. Dropping it puts it back, unless it has ended.
pub(super) struct TakenUpload<'a> {
    uploads: &'a Uploads,
    pub(super) id: String,
    pub(super) upload: Arc<Upload>,
}

impl TakenUpload<'_> {
    /// Ends the upload. Its parts are removed once no request uses them.
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

/// The number in an upload id.
fn number_of(id: &str) -> Option<u64> {
    if id.len() != 44 || !id.is_ascii() {
        return None;
    }
    u64::from_str_radix(&id[12..28], 16).ok()
}
