//! The keys of a bucket, and their versions.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::{Commit, Record};
use super::version_id::VersionId;
use crate::s3::blob::Blob;

/// A version of an object, or a delete marker.
pub(in crate::s3) struct Object {
    pub(in crate::s3) record: Record,
    pub(in crate::s3) blob: Arc<Blob>,
    pub(in crate::s3) commit: Commit,
}

impl Object {
    /// Removes the version from disk. Its bytes stay readable while a request holds it.
    pub(super) fn retire(&self) -> io::Result<()> {
        self.commit.remove(self.blob.folder())?;
        self.blob.keep(false);
        Ok(())
    }
}

/// The versioning of a bucket. Once set, it can't be unset (S3 User Guide, "Using versioning in S3 buckets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) enum Versioning {
    /// Each write creates a version with its own id.
    Enabled,
    /// Each write creates or replaces the version `null`; versions with ids stay.
    Suspended,
}

/// The versions of one key, oldest first.
#[derive(Default)]
struct Versions(Vec<Arc<Object>>);

impl Versions {
    fn find(&self, version: &VersionId) -> Option<usize> {
        self.0.iter().position(|object| object.commit.version == *version)
    }
}

/// A bucket.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) versioning: Option<Versioning>,
    keys: BTreeMap<String, Versions>,
}

impl Bucket {
    pub(super) fn new(versioning: Option<Versioning>) -> Self {
        Self { versioning, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The latest version of the key, which may be a delete marker.
    pub(super) fn latest(&self, key: &str) -> Option<&Arc<Object>> {
        self.keys.get(key)?.0.last()
    }

    /// The current object of the key; `None` if the latest version is a delete marker.
    pub(super) fn current(&self, key: &str) -> Option<&Arc<Object>> {
        self.latest(key).filter(|object| !object.record.delete_marker)
    }

    pub(super) fn version(&self, key: &str, version: &VersionId) -> Option<&Arc<Object>> {
        let versions = self.keys.get(key)?;
        versions.find(version).map(|index| &versions.0[index])
    }

    /// The id for a version with this commit number.
    pub(super) fn next_version(&self, place: u64) -> VersionId {
        if self.versioning == Some(Versioning::Enabled) { VersionId::new(place) } else { VersionId::Null }
    }

    /// Adds a committed version as the latest. Returns the version with the same id, which the caller retires.
    pub(super) fn add(&mut self, object: Arc<Object>) -> Option<Arc<Object>> {
        let versions = self.keys.entry(object.record.key.clone()).or_default();
        let replaced = versions.find(&object.commit.version).map(|index| versions.0.remove(index));
        versions.0.push(object);
        replaced
    }

    /// Replaces the version with the same id.
    pub(super) fn exchange(&mut self, changed: &Arc<Object>) {
        let Some(versions) = self.keys.get_mut(&changed.record.key) else { return };
        if let Some(index) = versions.find(&changed.commit.version) {
            versions.0[index] = Arc::clone(changed);
        }
    }

    /// Removes a version from memory and disk, and returns it.
    pub(super) fn take(&mut self, key: &str, version: &VersionId) -> io::Result<Option<Arc<Object>>> {
        let Some(versions) = self.keys.get_mut(key) else { return Ok(None) };
        let Some(index) = versions.find(version) else { return Ok(None) };
        versions.0[index].retire()?;
        let taken = versions.0.remove(index);
        if versions.0.is_empty() {
            self.keys.remove(key);
        }
        Ok(Some(taken))
    }

    /// The versions of the keys that begin with `prefix`, in key order, newest first.
    pub(super) fn versions(&self, prefix: &str) -> impl Iterator<Item = &Arc<Object>> {
        self.with_prefix(prefix).flat_map(|versions| versions.0.iter().rev())
    }

    /// The objects whose keys begin with `prefix`, in key order.
    pub(super) fn objects(&self, prefix: &str) -> impl Iterator<Item = &Arc<Object>> {
        let latest = self.with_prefix(prefix).filter_map(|versions| versions.0.last());
        latest.filter(|object| !object.record.delete_marker)
    }

    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = &Versions> {
        let from = self.keys.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        from.take_while(move |(key, _)| key.starts_with(prefix)).map(|(_, versions)| versions)
    }
}
