//! The objects, and the conditions of requests for them.

use std::collections::BTreeMap;

use bytes::Bytes;
use codepipeline_local::types::ObjectRef;

use crate::random::hash;

/// All objects of all buckets. A bucket exists once it holds an object.
#[derive(Default)]
pub(crate) struct Objects(BTreeMap<(String, String), Object>);

/// One object.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    /// Without quotation marks. As on S3, the same bytes have the same tag.
    pub(crate) etag: String,
    /// Milliseconds since the epoch.
    pub(crate) modified: u64,
}

/// The condition under which a request takes effect.
pub(crate) enum Condition {
    No,
    /// The object does not exist.
    IsNone,
    /// The object has this entity tag.
    Is(String),
}

/// Why a condition was not met.
pub(crate) enum Refused {
    NotThere,
    Condition,
}

impl Objects {
    fn place(at: &ObjectRef) -> (String, String) {
        (at.bucket.clone(), at.key.clone())
    }

    pub(super) fn get(&self, at: &ObjectRef, condition: &Condition) -> Result<&Object, Refused> {
        let object = self.0.get(&Self::place(at)).ok_or(Refused::NotThere)?;
        check(Some(object), condition)?;
        Ok(object)
    }

    pub(super) fn put(
        &mut self,
        at: &ObjectRef,
        bytes: Bytes,
        condition: &Condition,
        now: u64,
    ) -> Result<String, Refused> {
        check(self.0.get(&Self::place(at)), condition)?;
        let etag = format!("{:016x}{:016x}", hash(&bytes), bytes.len());
        // S3 rounds times to whole seconds.
        let object = Object { bytes, etag: etag.clone(), modified: now / 1000 * 1000 };
        self.0.insert(Self::place(at), object);
        Ok(etag)
    }

    pub(super) fn delete(&mut self, at: &ObjectRef, condition: &Condition) -> Result<(), Refused> {
        check(self.0.get(&Self::place(at)), condition)?;
        self.0.remove(&Self::place(at)).map(drop).ok_or(Refused::NotThere)
    }

    /// The bucket's objects whose keys begin with `prefix` and come after `after`, sorted.
    pub(super) fn list<'a>(
        &'a self,
        bucket: &'a str,
        prefix: &'a str,
        after: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Object)> {
        let of_bucket = self.0.iter().filter(move |((of, key), _)| {
            of == bucket && key.starts_with(prefix) && (after.is_empty() || key.as_str() > after)
        });
        of_bucket.map(|((_, key), object)| (key.as_str(), object))
    }

    /// Puts an object without a condition.
    pub(crate) fn place_object(&mut self, at: &ObjectRef, bytes: impl Into<Bytes>, now: u64) {
        let _ = self.put(at, bytes.into(), &Condition::No, now);
    }

    /// Copies an object and returns the entity tag.
    pub(crate) fn copy(&mut self, from: &ObjectRef, to: &ObjectRef, now: u64) -> String {
        let bytes = self.0.get(&Self::place(from)).map(|object| object.bytes.clone()).unwrap_or_default();
        self.put(to, bytes, &Condition::No, now).unwrap_or_default()
    }

    /// The keys and sizes of a bucket's objects.
    pub(crate) fn keys(&self, bucket: &str) -> Vec<(String, usize)> {
        self.list(bucket, "", "").map(|(key, object)| (key.to_owned(), object.bytes.len())).collect()
    }
}

fn check(object: Option<&Object>, condition: &Condition) -> Result<(), Refused> {
    match (condition, object) {
        (Condition::No, _) | (Condition::IsNone, None) => Ok(()),
        (Condition::Is(etag), Some(object)) if *etag == object.etag => Ok(()),
        // S3 answers 404 to a write that must match a missing object ("Conditional writes", S3 User Guide).
        (Condition::Is(_), None) => Err(Refused::NotThere),
        _ => Err(Refused::Condition),
    }
}
