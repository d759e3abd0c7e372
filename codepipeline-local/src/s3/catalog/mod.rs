//! The catalog: it maps buckets and keys to blobs, and is the only place that changes this mapping.
//!
//! The catalog checks a condition (`If-Match`, `If-None-Match`) and makes the change under one lock, after the bytes
//! have arrived. So exactly one of several racing conditional writers wins, and a slow upload blocks no other writer.

mod bucket_files;
mod buckets;
mod index;
mod record;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod version_id;
mod versions;

pub(super) use index::{Catalog, Removed};
pub(super) use record::{Encryption, Labels, Record};
pub(super) use refusal::{internal, no_version};
pub(super) use version_id::VersionId;
pub(super) use versions::{Object, Versioning};
