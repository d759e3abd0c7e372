//! Refusal of S3 features that the emulator does not have. `s3s` ignores unknown subresources: for `DELETE
//! KEY?retention` it would delete the object.

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::messages::error;
use super::operation::operation;
use super::place::Place;
use super::settings;
use super::signature::query_values;
use super::storage::Storage;

/// The subresources of buckets and objects in S3 (S3 API Reference, "Actions").
const SUBRESOURCES: [&str; 28] = [
    "abac",
    "acl",
    "attributes",
    "delete",
    "encryption",
    "legal-hold",
    "location",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "object-lock",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "versions",
    "website",
    "lifecycle",
];
/// Headers of customer-provided keys, which the emulator does not use.
const CUSTOMER_KEYS: [&str; 2] =
    ["x-amz-server-side-encryption-customer-", "x-amz-copy-source-server-side-encryption-customer-"];
/// Headers of object locks, which the emulator does not enforce.
const LOCK: &str = "x-amz-object-lock-";
const METADATA: &str = "x-amz-meta-";
/// The limit of user metadata, in bytes (S3 User Guide, "Working with object metadata").
const MOST_METADATA: usize = 2048;

impl Storage {
    /// Returns an error if the request needs a missing feature.
    pub(super) fn check_present(&self, parts: &Parts, place: &Place) -> S3Result<()> {
        check_subresource(parts, place)?;
        let Some(bucket) = place.bucket.as_deref().filter(|_| place.key.is_some()) else { return Ok(()) };
        let has = |start: &str| parts.headers.keys().any(|name| name.as_str().starts_with(start));
        if CUSTOMER_KEYS.into_iter().any(has) {
            return Err(s3_error!(NotImplemented, "The emulator does not support customer-provided encryption keys"));
        }
        if ![Method::PUT, Method::POST].contains(&parts.method) {
            return Ok(());
        }
        if has(LOCK) {
            if self.settings.get(bucket, "object-lock").is_none() {
                return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
            }
            return Err(s3_error!(NotImplemented, "The emulator does not support object locks"));
        }
        if has("x-amz-write-offset-bytes") {
            return Err(s3_error!(
                NotImplemented,
                "The emulator does not support appends, which need a directory bucket"
            ));
        }
        check_metadata(&parts.headers)
    }
}

fn check_subresource(parts: &Parts, place: &Place) -> S3Result<()> {
    let query = query_values(&parts.uri);
    let has = |name: &str| query.contains_key(name);
    // Settings of buckets return their own error for an unsupported method.
    let setting = place.key.is_none() && settings::of_query(has).is_some();
    if let Some(name) = SUBRESOURCES.into_iter().find(|name| has(name))
        && !setting
        && operation(parts).is_none()
    {
        let message = format!("The emulator does not support {} of the subresource {name}", parts.method);
        return Err(S3Error::with_message(S3ErrorCode::NotImplemented, message));
    }
    if place.key.is_some() && parts.method == Method::PUT && has("uploadId") != has("partNumber") {
        return Err(s3_error!(InvalidArgument, "A part needs both uploadId and partNumber"));
    }
    Ok(())
}

fn check_metadata(headers: &HeaderMap) -> S3Result<()> {
    let size = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().strip_prefix(METADATA).map(|name| name.len() + value.len())
    };
    let size: usize = headers.iter().filter_map(size).sum();
    if size <= MOST_METADATA {
        return Ok(());
    }
    let message = format!(
        "Your metadata headers exceed the maximum allowed metadata size: they have {size} bytes of {MOST_METADATA}"
    );
    Err(error("MetadataTooLarge", StatusCode::BAD_REQUEST, message))
}
