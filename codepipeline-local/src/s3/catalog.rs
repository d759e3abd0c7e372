//! Which blob is which object: the one place where a key changes hands.
//!
//! Conditions (`If-Match`, `If-None-Match`) are checked and the change is made under one lock, after the bytes have been
//! received, so of any number of racing writers that demand the same state exactly one wins, and a slow upload holds up nobody.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::blob::Blob;
use super::condition::Condition;
use crate::types::Timestamp;

const OBJECTS: &str = "objects";
const BUCKETS: &str = "buckets";
/// The record of an object that is current; its name holds the order of commits.
const RECORD: &str = "record-";
/// The same before it is committed.
const PENDING: &str = "pending.json";

/// How an object was asked to be encrypted. Nothing is: the headers are remembered, so that tests can see them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Encryption {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
}

/// What is known of an object besides its bytes.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) e_tag: String,
    pub(super) size: u64,
    modified_ms: u64,
    pub(super) encryption: Encryption,
}

impl Record {
    pub(super) fn new(
        place: (&str, &str),
        e_tag: String,
        size: u64,
        modified: Timestamp,
        encryption: Encryption,
    ) -> Self {
        let (bucket, key) = place;
        Self { bucket: bucket.into(), key: key.into(), e_tag, size, modified_ms: modified.0, encryption }
    }

    pub(super) fn modified(&self) -> Timestamp {
        Timestamp(self.modified_ms)
    }
}

/// A current object.
pub(super) struct Object {
    pub(super) record: Record,
    pub(super) blob: Arc<Blob>,
}

/// All buckets and objects.
pub(super) struct Catalog {
    root: PathBuf,
    /// Held as long as the folder is used.
    _lock: File,
    next_blob: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    commits: u64,
    buckets: BTreeMap<String, BTreeMap<String, Arc<Object>>>,
}

impl Catalog {
    /// Opens the folder, which may hold what an earlier run kept; uploads that it did not finish are removed.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let mut state = State::default();
        std::fs::create_dir_all(root.join(BUCKETS))?;
        let lock = File::create(root.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another emulator keeps its objects there"))?;
        std::fs::create_dir_all(root.join(OBJECTS))?;
        for entry in std::fs::read_dir(root.join(BUCKETS))? {
            state.buckets.insert(entry?.file_name().to_string_lossy().into_owned(), BTreeMap::new());
        }
        let mut found = Vec::new();
        let mut last_blob = 0;
        for entry in std::fs::read_dir(root.join(OBJECTS))? {
            let folder = entry?.path();
            // Anything else in the folder is not the emulator's, and is left alone.
            let Some(number) = folder.file_name().and_then(blob_number) else { continue };
            last_blob = last_blob.max(number);
            match committed(&folder)? {
                Some((order, record)) => found.push((order, record, folder)),
                None => std::fs::remove_dir_all(&folder)?,
            }
        }
        found.sort_by_key(|(order, ..)| *order);
        for (order, record, folder) in found {
            state.commits = order;
            let (bucket, key) = (record.bucket.clone(), record.key.clone());
            let object = Arc::new(Object { record, blob: Arc::new(Blob::reopen(folder)?) });
            // A run that was killed between committing a new object and removing the old one left both; the later one counts.
            let replaced = state.buckets.entry(bucket).or_default().insert(key, object);
            if let Some(replaced) = replaced {
                replaced.blob.keep(false);
            }
        }
        Ok(Self { root: root.into(), _lock: lock, next_blob: AtomicU64::new(last_blob + 1), state: Mutex::new(state) })
    }

    /// A place for bytes that are no object yet.
    pub(super) fn new_blob(&self) -> io::Result<Blob> {
        let number = self.next_blob.fetch_add(1, Ordering::Relaxed);
        Blob::create(self.root.join(OBJECTS).join(format!("{number:016x}")))
    }

    /// Makes the blob the object that its record names, if the condition holds at that very moment.
    pub(super) fn commit(&self, record: Record, blob: Arc<Blob>, condition: &Condition) -> S3Result<()> {
        let pending = blob.folder().join(PENDING);
        let written = serde_json::to_vec(&record).map_err(io::Error::from);
        written.and_then(|bytes| std::fs::write(&pending, bytes)).map_err(internal)?;

        let mut state = self.lock();
        let order = state.commits + 1;
        let objects = state.buckets.get_mut(&record.bucket).ok_or_else(|| no_bucket(&record.bucket))?;
        condition.check(objects.get(&record.key).map(|object| object.record.e_tag.as_str()))?;
        std::fs::rename(&pending, blob.folder().join(format!("{RECORD}{order}.json"))).map_err(internal)?;
        blob.keep(true);
        let replaced = objects.insert(record.key.clone(), Arc::new(Object { record, blob }));
        state.commits = order;
        drop(state);
        if let Some(replaced) = replaced {
            replaced.blob.keep(false);
        }
        Ok(())
    }

    /// Removes an object, if there is one and the condition holds at that very moment.
    pub(super) fn remove(&self, bucket: &str, key: &str, condition: &Condition) -> S3Result<()> {
        let mut state = self.lock();
        let objects = state.buckets.get_mut(bucket).ok_or_else(|| no_bucket(bucket))?;
        condition.check(objects.get(key).map(|object| object.record.e_tag.as_str()))?;
        let removed = objects.remove(key);
        drop(state);
        if let Some(removed) = removed {
            removed.blob.keep(false);
        }
        Ok(())
    }

    /// The object as it is now. Its bytes stay readable for as long as the answer is held.
    pub(super) fn get(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        let state = self.lock();
        let objects = state.buckets.get(bucket).ok_or_else(|| no_bucket(bucket))?;
        objects.get(key).cloned().ok_or_else(|| no_key(bucket, key))
    }

    /// The bucket's objects whose keys begin with `prefix`, in the order of their keys.
    pub(super) fn list(&self, bucket: &str, prefix: &str) -> S3Result<Vec<Arc<Object>>> {
        let state = self.lock();
        let objects = state.buckets.get(bucket).ok_or_else(|| no_bucket(bucket))?;
        let from = objects.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        Ok(from.take_while(|(key, _)| key.starts_with(prefix)).map(|(_, object)| Arc::clone(object)).collect())
    }

    /// Makes the bucket, unless it is there.
    pub(super) fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        let mut state = self.lock();
        if state.buckets.contains_key(bucket) {
            return Ok(());
        }
        std::fs::create_dir(self.root.join(BUCKETS).join(bucket))?;
        state.buckets.insert(bucket.into(), BTreeMap::new());
        Ok(())
    }

    /// Removes an empty bucket.
    pub(super) fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let mut state = self.lock();
        let objects = state.buckets.get(bucket).ok_or_else(|| no_bucket(bucket))?;
        if !objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        std::fs::remove_dir(self.root.join(BUCKETS).join(bucket)).map_err(internal)?;
        state.buckets.remove(bucket);
        Ok(())
    }

    /// The names of all buckets, and when each was made. That is the machine's time, which the bucket's folder has: nothing is
    /// put into the folder.
    pub(super) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let state = self.lock();
        let made = |name: &String| std::fs::metadata(self.root.join(BUCKETS).join(name))?.modified();
        state.buckets.keys().map(|name| Ok((name.clone(), made(name)?))).collect()
    }

    /// Fails if there is no such bucket.
    pub(super) fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.lock().buckets.contains_key(bucket) { Ok(()) } else { Err(no_bucket(bucket)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing between two changes of the state can panic, so a poisoned lock still guards a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number in the name of a blob's folder.
fn blob_number(name: &OsStr) -> Option<u64> {
    let name = name.to_str().filter(|name| name.len() == 16)?;
    u64::from_str_radix(name, 16).ok()
}

/// The record that commits a blob's folder, and its place in the order of commits.
fn committed(folder: &Path) -> io::Result<Option<(u64, Record)>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let order = name.strip_prefix(RECORD).and_then(|rest| rest.strip_suffix(".json"));
        if let Some(order) = order.and_then(|order| order.parse().ok()) {
            let record = serde_json::from_slice(&std::fs::read(entry.path())?)?;
            return Ok(Some((order, record)));
        }
    }
    Ok(None)
}

fn no_bucket(bucket: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchBucket, format!("There is no bucket {bucket:?}"))
}

fn no_key(bucket: &str, key: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchKey, format!("There is no object {key:?} in the bucket {bucket:?}"))
}

/// S3's answer to a failure of this machine's disk.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
pub(super) fn internal(error: io::Error) -> S3Error {
    S3Error::with_message(S3ErrorCode::InternalError, format!("The emulator's data folder failed: {error}"))
}
