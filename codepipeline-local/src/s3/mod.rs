//! S3: `s3s` implements the protocol and `s3s-fs` stores the bytes. This module adds what they lack: atomic
//! conditional writes, versions, credentials limited to one job's objects, and the encryption that artifact stores
//! require.

mod absent;
mod access;
mod algorithm;
mod answer;
mod attributes;
mod blob;
mod body;
mod catalog;
mod checksum;
mod chunks;
mod condition;
mod copying;
mod date;
mod deletes;
mod details;
mod encryption;
mod files;
mod folder;
mod form;
mod labels;
mod listing;
mod messages;
mod objects;
mod operation;
mod operations;
mod pace;
mod payload;
mod place;
mod query_headers;
mod reading;
mod received;
mod region;
mod settings;
mod signature;
mod storage;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;
mod version_2;
mod version_listing;
mod versioning;

pub(crate) use answer::{claimed_key, refusal};
pub(crate) use body::read_to_its_end;
pub(crate) use copying::CopyError;
pub(crate) use files::{FileError, Upload};
pub(crate) use folder::Folder;
pub(crate) use form::is_form;
pub(crate) use operation::{operation, operations};
pub use pace::S3Pace;
pub(crate) use place::{is_region, names_bucket, place};
pub(crate) use signature::query_values;
pub(crate) use store::{Store, StoreSettings};
