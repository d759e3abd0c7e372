//! Settings of buckets, in memory and on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The folder with a file for each bucket.
const FOLDER: &str = "settings";

/// The settings of one bucket.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Bucket {
    /// `None` for a bucket of an emulator that kept no regions: it is in the emulator's region.
    #[serde(default)]
    region: Option<String>,
    /// By the name of the subresource: `cors`, `policy`; for those with an id, `metrics/ID`.
    #[serde(default)]
    kept: BTreeMap<String, String>,
}

/// The settings of all buckets.
pub(in crate::s3) struct BucketSettings {
    folder: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl BucketSettings {
    /// Reads what an earlier run kept in the store's folder.
    pub(in crate::s3) fn open(root: &Path) -> io::Result<Self> {
        let folder = root.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        let mut buckets = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
            // A file that was being written when an earlier run ended has another name.
            let Some(name) = name else { continue };
            buckets.insert(name.to_owned(), serde_json::from_slice(&std::fs::read(&path)?)?);
        }
        Ok(Self { folder, buckets: Mutex::new(buckets) })
    }

    /// Begins anew for a bucket that is made in this region.
    pub(in crate::s3) fn begin(&self, bucket: &str, region: &str) -> io::Result<()> {
        let fresh = Bucket { region: Some(region.to_owned()), kept: BTreeMap::new() };
        self.replace(&mut self.lock(), bucket, fresh)
    }

    /// Forgets a bucket that was removed.
    pub(in crate::s3) fn forget(&self, bucket: &str) -> io::Result<()> {
        let mut buckets = self.lock();
        buckets.remove(bucket);
        match std::fs::remove_file(self.file(bucket)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The region that the bucket was made in, if it is known.
    pub(in crate::s3) fn region(&self, bucket: &str) -> Option<String> {
        self.lock().get(bucket)?.region.clone()
    }

    pub(in crate::s3) fn get(&self, bucket: &str, name: &str) -> Option<String> {
        self.lock().get(bucket)?.kept.get(name).cloned()
    }

    /// The settings whose names begin so, in the order of their names.
    pub(super) fn all(&self, bucket: &str, start: &str) -> Vec<String> {
        let buckets = self.lock();
        let kept = buckets.get(bucket).into_iter().flat_map(|bucket| &bucket.kept);
        kept.filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value.clone()).collect()
    }

    /// Keeps the setting, or removes it if there is no value.
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

    /// Whether the bucket's owner owns every object, so that ACLs mean nothing.
    pub(in crate::s3) fn acls_off(&self, bucket: &str) -> bool {
        self.get(bucket, "ownershipControls").is_some_and(|kept| kept.contains("BucketOwnerEnforced"))
    }

    fn file(&self, bucket: &str) -> PathBuf {
        self.folder.join(format!("{bucket}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // A change is made in one step, so a poisoned lock still guards a whole map.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
