//! Storage of settings, in memory and on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The folder with a file per bucket.
const FOLDER: &str = "settings";

/// The settings of one bucket.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Bucket {
    /// The region. `None` for buckets of older versions, which are in the emulator's region.
    #[serde(default)]
    region: Option<String>,
    /// The settings by subresource, such as `cors` or `policy`. Settings with an id have names such as `metrics/ID`.
    #[serde(default)]
    kept: BTreeMap<String, String>,
}

/// The settings of all buckets.
pub(in crate::s3) struct BucketSettings {
    folder: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl BucketSettings {
    /// Reads the settings of an earlier run.
    pub(in crate::s3) fn open(root: &Path) -> io::Result<Self> {
        let folder = root.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        let mut buckets = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
            // A half-written file of an earlier run has another extension.
            let Some(name) = name else { continue };
            buckets.insert(name.to_owned(), serde_json::from_slice(&std::fs::read(&path)?)?);
        }
        Ok(Self { folder, buckets: Mutex::new(buckets) })
    }

    /// Resets the settings of a bucket that is created in this region.
    pub(in crate::s3) fn begin(&self, bucket: &str, region: &str) -> io::Result<()> {
        let fresh = Bucket { region: Some(region.to_owned()), kept: BTreeMap::new() };
        self.replace(&mut self.lock(), bucket, fresh)
    }

    /// Removes the settings of a removed bucket.
    pub(in crate::s3) fn forget(&self, bucket: &str) -> io::Result<()> {
        let mut buckets = self.lock();
        buckets.remove(bucket);
        match std::fs::remove_file(self.file(bucket)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The region of the bucket, if known.
    pub(in crate::s3) fn region(&self, bucket: &str) -> Option<String> {
        self.lock().get(bucket)?.region.clone()
    }

    pub(in crate::s3) fn get(&self, bucket: &str, name: &str) -> Option<String> {
        self.lock().get(bucket)?.kept.get(name).cloned()
    }

    /// The settings whose names have this prefix, in order.
    pub(super) fn all(&self, bucket: &str, start: &str) -> Vec<String> {
        let buckets = self.lock();
        let kept = buckets.get(bucket).into_iter().flat_map(|bucket| &bucket.kept);
        kept.filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value.clone()).collect()
    }

    /// Stores the setting, or removes it if `value` is `None`.
    pub(in crate::s3) fn set(&self, bucket: &str, name: &str, value: Option<String>) -> io::Result<()> {
        let mut buckets = self.lock();
        let mut changed = buckets.get(bucket).cloned().unwrap_or_default();
        match value {
            Some(value) => changed.kept.insert(name.to_owned(), value),
            None => changed.kept.remove(name),
        };
        self.replace(&mut buckets, bucket, changed)
    }

    fn replace(&self, buckets: &mut BTreeMap<String, Bucket>, name: &str, bucket: Bucket) -> io::Result<()> {
        let written = self.folder.join(format!("{name}.new"));
        std::fs::write(&written, serde_json::to_vec_pretty(&bucket)?)?;
        std::fs::rename(written, self.file(name))?;
        buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    /// Whether the bucket's owner owns every object, which disables ACLs.
    pub(in crate::s3) fn acls_off(&self, bucket: &str) -> bool {
        self.get(bucket, "ownershipControls").is_some_and(|kept| kept.contains("BucketOwnerEnforced"))
    }

    fn file(&self, bucket: &str) -> PathBuf {
        self.folder.join(format!("{bucket}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // Each change is a single step, so a poisoned lock still guards a consistent map.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
