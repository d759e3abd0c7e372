//! Operations on buckets.

use std::io;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::bucket_files::{bucket_folder, remove_if_there, versioning_file, write_versioning};
use super::index::Catalog;
use super::refusal::{internal, no_bucket};
use super::versions::{Bucket, Versioning};

impl Catalog {
    /// Creates the bucket if it does not exist.
    pub(in crate::s3) fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        let mut state = self.lock();
        if state.buckets.contains_key(bucket) {
            return Ok(());
        }
        // A run that was killed while it removed a bucket of this name may have left the file.
        remove_if_there(&versioning_file(&self.root, bucket))?;
        std::fs::create_dir(bucket_folder(&self.root, bucket))?;
        state.buckets.insert(bucket.into(), Bucket::default());
        Ok(())
    }

    /// Removes a bucket without objects, versions and delete markers.
    pub(in crate::s3) fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let mut state = self.lock();
        let found = state.buckets.get(bucket).ok_or_else(|| no_bucket(bucket))?;
        if !found.is_empty() {
            let more = if found.versioning.is_some() { ". You must delete all versions in the bucket." } else { "" };
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty{}", more));
        }
        std::fs::remove_dir(bucket_folder(&self.root, bucket)).map_err(internal)?;
        state.buckets.remove(bucket);
        remove_if_there(&versioning_file(&self.root, bucket)).map_err(internal)
    }

    /// The buckets with their creation times. These come from the folders, so they are in the machine's time.
    pub(in crate::s3) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let state = self.lock();
        let made = |name: &String| std::fs::metadata(bucket_folder(&self.root, name))?.modified();
        state.buckets.keys().map(|name| Ok((name.clone(), made(name)?))).collect()
    }

    /// Returns an error if the bucket does not exist.
    pub(in crate::s3) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        self.versioning(bucket).map(drop)
    }

    /// The versioning of the bucket; `None` if it was never set.
    pub(in crate::s3) fn versioning(&self, bucket: &str) -> S3Result<Option<Versioning>> {
        self.lock().buckets.get(bucket).map(|found| found.versioning).ok_or_else(|| no_bucket(bucket))
    }

    /// Sets the versioning of the bucket for later commits.
    pub(in crate::s3) fn set_versioning(&self, bucket: &str, versioning: Versioning) -> S3Result<()> {
        let mut state = self.lock();
        let found = state.buckets.get_mut(bucket).ok_or_else(|| no_bucket(bucket))?;
        write_versioning(&self.root, bucket, versioning).map_err(internal)?;
        found.versioning = Some(versioning);
        Ok(())
    }
}
