//! Buckets: made, set up, listed and removed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::refusal::no_bucket;
use super::versions::{Bucket, Versioning};
use super::{Catalog, internal};

/// A folder for each bucket. It stays empty: its time is that of the bucket's creation.
const BUCKETS: &str = "buckets";
/// A file for each bucket that has, or had, versioning enabled.
const VERSIONING: &str = "versioning";

/// The buckets that an earlier run left in the folder.
pub(super) fn found(root: &Path) -> io::Result<Vec<(String, Bucket)>> {
    std::fs::create_dir_all(root.join(BUCKETS))?;
    std::fs::create_dir_all(root.join(VERSIONING))?;
    let mut buckets = Vec::new();
    for entry in std::fs::read_dir(root.join(BUCKETS))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let versioning = match std::fs::read(versioning_file(root, &name)) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        buckets.push((name, Bucket::new(versioning)));
    }
    Ok(buckets)
}

impl Catalog {
    /// Makes the bucket, unless it is there.
    pub(in crate::s3) fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        let mut state = self.lock();
        if state.buckets.contains_key(bucket) {
            return Ok(());
        }
        // A run that was killed while it removed a bucket of this name may have left the file.
        remove_if_there(&versioning_file(&self.root, bucket))?;
        std::fs::create_dir(self.root.join(BUCKETS).join(bucket))?;
        state.buckets.insert(bucket.into(), Bucket::default());
        Ok(())
    }

    /// Removes an empty bucket: one without objects, versions and delete markers.
    pub(in crate::s3) fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let mut state = self.lock();
        let found = state.buckets.get(bucket).ok_or_else(|| no_bucket(bucket))?;
        if !found.is_empty() {
            let more = if found.versioning.is_some() { ". You must delete all versions in the bucket." } else { "" };
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty{}", more));
        }
        std::fs::remove_dir(self.root.join(BUCKETS).join(bucket)).map_err(internal)?;
        state.buckets.remove(bucket);
        remove_if_there(&versioning_file(&self.root, bucket)).map_err(internal)
    }

    /// The names of all buckets, and when each was made. That is the machine's time, which the bucket's folder has.
    pub(in crate::s3) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let state = self.lock();
        let made = |name: &String| std::fs::metadata(self.root.join(BUCKETS).join(name))?.modified();
        state.buckets.keys().map(|name| Ok((name.clone(), made(name)?))).collect()
    }

    /// Fails if there is no such bucket.
    pub(in crate::s3) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        self.versioning(bucket).map(drop)
    }

    /// The bucket's versioning; `None` if it was never set.
    pub(in crate::s3) fn versioning(&self, bucket: &str) -> S3Result<Option<Versioning>> {
        self.lock().buckets.get(bucket).map(|found| found.versioning).ok_or_else(|| no_bucket(bucket))
    }

    /// Sets the bucket's versioning, for all writes that are committed from now on.
    pub(in crate::s3) fn set_versioning(&self, bucket: &str, versioning: Versioning) -> S3Result<()> {
        let mut state = self.lock();
        let found = state.buckets.get_mut(bucket).ok_or_else(|| no_bucket(bucket))?;
        let file = versioning_file(&self.root, bucket);
        // No bucket has this name, because names have no capitals.
        let pending = self.root.join(VERSIONING).join("PENDING");
        let written = serde_json::to_vec(&versioning).map_err(io::Error::from);
        let written = written.and_then(|bytes| std::fs::write(&pending, bytes));
        written.and_then(|()| std::fs::rename(&pending, file)).map_err(internal)?;
        found.versioning = Some(versioning);
        Ok(())
    }
}

fn versioning_file(root: &Path, bucket: &str) -> PathBuf {
    root.join(VERSIONING).join(bucket)
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
