//! The catalog of buckets and objects, in memory and on disk.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::S3Result;

use super::bucket_files;
use super::record::{Labels, Record, committed};
use super::refusal::internal;
use super::state::State;
use super::version_id::VersionId;
use super::versions::{Bucket, Object};
use crate::s3::blob::Blob;
use crate::s3::condition::Condition;
use crate::types::Timestamp;

pub(super) const OBJECTS: &str = "objects";

/// The catalog.
pub(in crate::s3) struct Catalog {
    pub(super) root: PathBuf,
    /// Held while the catalog is open.
    _lock: File,
    next_blob: AtomicU64,
    state: Mutex<State>,
}

/// The result of a delete.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::s3) struct Removed {
    /// The version that was removed or created; `None` in a bucket without versioning.
    pub(in crate::s3) version: Option<VersionId>,
    /// Whether that version is, or was, a delete marker.
    pub(in crate::s3) delete_marker: bool,
}

impl Catalog {
    /// Opens a folder, which may hold the objects of an earlier run. Removes unfinished uploads.
    pub(in crate::s3) fn open(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let lock = File::create(root.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another emulator uses the folder"))?;
        std::fs::create_dir_all(root.join(OBJECTS))?;
        let mut state = State { commits: 0, buckets: bucket_files::found(root)?.into_iter().collect() };
        let mut found = Vec::new();
        let mut last_blob = 0;
        for entry in std::fs::read_dir(root.join(OBJECTS))? {
            let folder = entry?.path();
            // Other files in the folder do not belong to the emulator and stay.
            let Some(number) = folder.file_name().and_then(blob_number) else { continue };
            last_blob = last_blob.max(number);
            match committed(&folder)? {
                Some((commit, record)) => found.push((commit, record, folder)),
                None => std::fs::remove_dir_all(&folder)?,
            }
        }
        found.sort_by_key(|(commit, ..)| commit.place);
        for (commit, record, folder) in found {
            state.commits = commit.place;
            let bucket = state.buckets.entry(record.bucket.clone()).or_default();
            let object = Object { record, blob: Arc::new(Blob::reopen(folder)?), commit };
            // A run that was killed between a commit and the removal of the replaced version left both. The later one
            // counts.
            if let Some(replaced) = bucket.add(Arc::new(object)) {
                replaced.retire()?;
            }
        }
        Ok(Self { root: root.into(), _lock: lock, next_blob: AtomicU64::new(last_blob + 1), state: Mutex::new(state) })
    }

    /// Creates an empty blob.
    pub(in crate::s3) fn new_blob(&self) -> io::Result<Blob> {
        let number = self.next_blob.fetch_add(1, Ordering::Relaxed);
        Blob::create(self.root.join(OBJECTS).join(format!("{number:016x}")))
    }

    /// Commits the blob as the latest version of the object in its record, if the condition holds at that moment.
    pub(in crate::s3) fn commit(
        &self,
        record: Record,
        blob: Arc<Blob>,
        condition: &Condition,
    ) -> S3Result<Arc<Object>> {
        record.write(blob.folder()).map_err(internal)?;
        let mut state = self.lock();
        let bucket = state.bucket(&record.bucket)?;
        condition.check(bucket.current(&record.key).map(|object| object.record.e_tag.as_str()))?;
        let (object, replaced) = state.commit(record, blob)?;
        drop(state);
        // Removing the bytes takes time, so it happens without the lock.
        drop(replaced);
        Ok(object)
    }

    /// Deletes a version of an object, or the object, if the condition on the latest version holds at that moment. In
    /// a bucket with versioning, the object gets a delete marker (S3 User Guide, "Deleting object versions").
    /// Deleting a missing object has no effect.
    pub(in crate::s3) fn remove(
        &self,
        (bucket, key): (&str, &str),
        version: Option<&VersionId>,
        condition: &Condition,
        now: Timestamp,
    ) -> S3Result<Removed> {
        let mut state = self.lock();
        let found = state.bucket(bucket)?;
        condition.check(found.current(key).map(|object| object.record.e_tag.as_str()))?;
        if version.is_none() && found.versioning.is_some() {
            let record = Record::delete_marker((bucket, key), now);
            let blob = self.new_blob().and_then(|blob| record.write(blob.folder()).map(|()| blob)).map_err(internal)?;
            let (marker, replaced) = state.commit(record, Arc::new(blob))?;
            drop(state);
            drop(replaced);
            return Ok(Removed { version: Some(marker.commit.version.clone()), delete_marker: true });
        }
        let taken = found.take(key, version.unwrap_or(&VersionId::Null)).map_err(internal)?;
        drop(state);
        let delete_marker = taken.is_some_and(|taken| taken.record.delete_marker);
        Ok(Removed { version: version.cloned(), delete_marker })
    }

    /// The current object. Its bytes stay readable while the reference is held.
    pub(in crate::s3) fn get(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.get_version(bucket, key, None)
    }

    /// The version of the object with this id, or the current object without an id.
    pub(in crate::s3) fn get_version(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Arc<Object>> {
        self.lock().find(bucket, key, version)
    }

    /// Changes the labels of a version, or of the current object, without a new version.
    pub(in crate::s3) fn relabel(
        &self,
        (bucket, key): (&str, &str),
        version: Option<&str>,
        change: impl FnOnce(&mut Labels),
    ) -> S3Result<Arc<Object>> {
        let mut state = self.lock();
        let found = state.find(bucket, key, version)?;
        let (mut record, blob, commit) = (found.record.clone(), Arc::clone(&found.blob), found.commit.clone());
        change(&mut record.labels);
        record.write(blob.folder()).and_then(|()| commit.write(blob.folder())).map_err(internal)?;
        let changed = Arc::new(Object { record, blob, commit });
        state.bucket(bucket)?.exchange(&changed);
        Ok(changed)
    }

    /// The version id for responses about this object; `None` if the bucket never had versioning.
    pub(in crate::s3) fn shown_version(&self, object: &Object) -> Option<String> {
        let versioned = |bucket: &Bucket| bucket.versioning.is_some();
        let shown = object.commit.version != VersionId::Null
            || self.lock().buckets.get(&object.record.bucket).is_some_and(versioned);
        shown.then(|| object.commit.version.as_str().to_owned())
    }

    /// The bucket's objects whose keys begin with `prefix`, in key order.
    pub(in crate::s3) fn list(&self, bucket: &str, prefix: &str) -> S3Result<Vec<Arc<Object>>> {
        Ok(self.lock().bucket(bucket)?.objects(prefix).cloned().collect())
    }

    /// The versions and delete markers of the keys that begin with `prefix`, in key order, newest first.
    pub(in crate::s3) fn list_versions(&self, bucket: &str, prefix: &str) -> S3Result<Vec<Arc<Object>>> {
        Ok(self.lock().bucket(bucket)?.versions(prefix).cloned().collect())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code between two changes of the state can panic, so a poisoned lock still guards a consistent state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number in the name of a blob folder.
fn blob_number(name: &OsStr) -> Option<u64> {
    let name = name.to_str().filter(|name| name.len() == 16)?;
    u64::from_str_radix(name, 16).ok()
}
