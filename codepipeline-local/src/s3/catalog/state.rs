//! Buckets and objects in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::S3Result;

use super::record::{Commit, Record};
use super::refusal::{deleted, internal, names_marker, no_bucket, no_key, no_version};
use super::version_id::VersionId;
use super::versions::{Bucket, Object};
use crate::s3::blob::Blob;

#[derive(Default)]
pub(super) struct State {
    pub(super) commits: u64,
    pub(super) buckets: BTreeMap<String, Bucket>,
}

impl State {
    pub(super) fn bucket(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| no_bucket(name))
    }

    /// The version of the object with this id, or the current object without an id.
    pub(super) fn find(&mut self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Arc<Object>> {
        let version = version.map(VersionId::parse).transpose()?;
        let found = self.bucket(bucket)?;
        match version {
            None => match found.latest(key) {
                None => Err(no_key(bucket, key)),
                Some(latest) if latest.record.delete_marker => Err(deleted(latest)),
                Some(latest) => Ok(Arc::clone(latest)),
            },
            Some(version) => match found.version(key, &version) {
                None => Err(no_version()),
                Some(marker) if marker.record.delete_marker => Err(names_marker(marker)),
                Some(object) => Ok(Arc::clone(object)),
            },
        }
    }

    /// Commits a blob with a written record. Returns the new version and the replaced one.
    pub(super) fn commit(&mut self, record: Record, blob: Arc<Blob>) -> S3Result<(Arc<Object>, Option<Arc<Object>>)> {
        let place = self.commits + 1;
        let bucket = self.bucket(&record.bucket)?;
        let commit = Commit { place, version: bucket.next_version(place) };
        commit.write(blob.folder()).map_err(internal)?;
        blob.keep(true);
        let object = Arc::new(Object { record, blob, commit });
        let replaced = bucket.add(Arc::clone(&object));
        self.commits = place;
        if let Some(replaced) = &replaced {
            replaced.retire().map_err(internal)?;
        }
        Ok((object, replaced))
    }
}
