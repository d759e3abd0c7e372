//! Buckets on disk.

use std::io;
use std::path::{Path, PathBuf};

use super::versions::{Bucket, Versioning};

/// A folder per bucket. It stays empty; its creation time is the time of the bucket.
const BUCKETS: &str = "buckets";
/// A file per bucket with versioning, enabled or suspended.
const VERSIONING: &str = "versioning";

/// The buckets of an earlier run.
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

pub(super) fn bucket_folder(root: &Path, bucket: &str) -> PathBuf {
    root.join(BUCKETS).join(bucket)
}

pub(super) fn versioning_file(root: &Path, bucket: &str) -> PathBuf {
    root.join(VERSIONING).join(bucket)
}

pub(super) fn remove_if_there(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the versioning of a bucket. A reader sees the old or the new state.
pub(super) fn write_versioning(root: &Path, bucket: &str, versioning: Versioning) -> io::Result<()> {
    // Bucket names have no capitals, so this name is free.
    let pending = root.join(VERSIONING).join("PENDING");
    std::fs::write(&pending, serde_json::to_vec(&versioning)?)?;
    std::fs::rename(&pending, versioning_file(root, bucket))
}
