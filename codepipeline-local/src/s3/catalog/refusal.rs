//! Errors of the catalog.

use std::io;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::TimestampFormat;
use s3s::{S3Error, S3ErrorCode, s3_error};

use super::versions::Object;
use crate::s3::date::date;

const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

pub(super) fn no_bucket(bucket: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchBucket, format!("The bucket {bucket:?} does not exist"))
}

pub(super) fn no_key(bucket: &str, key: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchKey, format!("The object {key:?} does not exist in the bucket {bucket:?}"))
}

/// The error for an object whose latest version is this delete marker (S3 User Guide, "Working with delete markers").
pub(super) fn deleted(marker: &Object) -> S3Error {
    let mut error = no_key(&marker.record.bucket, &marker.record.key);
    error.set_headers(marker_headers(marker));
    error
}

pub(in crate::s3) fn no_version() -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchVersion, "The specified version does not exist.")
}

/// The error for a request that names a delete marker, which can only be deleted (S3 API Reference, GetObject).
pub(super) fn names_marker(marker: &Object) -> S3Error {
    let mut headers = marker_headers(marker);
    headers.insert(header::ALLOW, HeaderValue::from_static("DELETE"));
    let mut modified = Vec::new();
    if date(marker.record.modified()).format(TimestampFormat::HttpDate, &mut modified).is_ok()
        && let Ok(modified) = HeaderValue::from_bytes(&modified)
    {
        headers.insert(header::LAST_MODIFIED, modified);
    }
    let mut error = s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.");
    error.set_headers(headers);
    error
}

fn marker_headers(marker: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert(DELETE_MARKER, HeaderValue::from_static("true"));
    if let Ok(version) = HeaderValue::from_str(marker.commit.version.as_str()) {
        headers.insert(VERSION_ID, version);
    }
    headers
}

/// The error for a failure of the data folder.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
pub(in crate::s3) fn internal(error: io::Error) -> S3Error {
    S3Error::with_message(S3ErrorCode::InternalError, format!("The emulator could not use its data folder: {error}"))
}
