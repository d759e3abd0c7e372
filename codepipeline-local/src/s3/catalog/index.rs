//! The catalog: all buckets and objects, in memory and on disk.

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

/// All buckets and objects.
pub(in crate::s3) struct Catalog {
    pub(super) root: PathBuf,
    /// Held as long as the folder is used.
    _lock: File,
    next_blob: AtomicU64,
    state: Mutex<State>,
}

/// The effect of a delete.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::s3) struct Removed {
    /// The version that was removed or made; `None` in a bucket without versions.
    pub(in crate::s3) version: Option<VersionId>,
    /// Whether that version is, or was, a delete marker.
    pub(in crate::s3) delete_marker: bool,
}

impl Catalog {
    /// Opens the folder, which may hold what an earlier run kept; uploads that it did not finish are removed.
    pub(in crate::s3) fn open(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let lock = File::create(root.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another emulator keeps its objects there"))?;
        std::fs::create_dir_all(root.join(OBJECTS))?;
        let mut state = State { commits: 0, buckets: bucket_files::found(root)?.into_iter().collect() };
        let mut found = Vec::new();
        let mut last_blob = 0;
        for entry in std::fs::read_dir(root.join(OBJECTS))? {
            let folder = entry?.path();
            // Anything else in the folder is not the emulator's, and is left alone.
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
            // A run that was killed between committing a version and retiring the one it replaced left both; the later one counts.
            if let Some(replaced) = bucket.add(Arc::new(object)) {
                replaced.retire()?;
            }
        }
        Ok(Self { root: root.into(), _lock: lock, next_blob: AtomicU64::new(last_blob + 1), state: Mutex::new(state) })
    }

    /// A place for bytes that are no object yet.
    pub(in crate::s3) fn new_blob(&self) -> io::Result<Blob> {
        let number = self.next_blob.fetch_add(1, Ordering::Relaxed);
        Blob::create(self.root.join(OBJECTS).join(format!("{number:016x}")))
    }

    /// Makes the blob the latest version of the object that its record names, if the condition holds at that very moment.
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
        // Removing its bytes takes time.
        drop(replaced);
        Ok(object)
    }

    /// Deletes a version of an object, or the object: in a bucket with versions it gets a delete marker (S3 User Guide,
    /// "Deleting object versions"). Does so if the condition on the latest version holds at that very moment. Deleting what is
    /// not there changes nothing.
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

    /// The current object. Its bytes stay readable for as long as the answer is held.
    pub(in crate::s3) fn get(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.get_version(bucket, key, None)
    }

    /// The version of the object with this id, which a request gave, or else the current object.
    pub(in crate::s3) fn get_version(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Arc<Object>> {
        self.lock().find(bucket, key, version)
    }

    /// Changes the labels of a version, or of the current object. The version stays the same otherwise.
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

    /// The version id that an answer about this object names; `None` in a bucket that never had versions.
    pub(in crate::s3) fn shown_version(&self, object: &Object) -> Option<String> {
        let versioned = |bucket: &Bucket| bucket.versioning.is_some();
        let shown = object.commit.version != VersionId::Null
            || self.lock().buckets.get(&object.record.bucket).is_some_and(versioned);
        shown.then(|| object.commit.version.as_str().to_owned())
    }

    /// The bucket's objects whose keys begin with `prefix`, in the order of their keys.
    pub(in crate::s3) fn list(&self, bucket: &str, prefix: &str) -> S3Result<Vec<Arc<Object>>> {
        Ok(self.lock().bucket(bucket)?.objects(prefix).cloned().collect())
    }

    /// All versions and delete markers of the keys that begin with `prefix`: key after key, the newest of each first.
    pub(in crate::s3) fn list_versions(&self, bucket: &str, prefix: &str) -> S3Result<Vec<Arc<Object>>> {
        Ok(self.lock().bucket(bucket)?.versions(prefix).cloned().collect())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing between two changes of the state can panic, so a poisoned lock still guards a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number in the name of a blob's folder.
fn blob_number(name: &OsStr) -> Option<u64> {
    let name = name.to_str().filter(|name| name.len() == 16)?;
    u64::from_str_radix(name, 16).ok()
}
