//! Requests with Signature Version 2, the default of boto3's presigned URLs (S3 User Guide, "Signature Version 2").
//! The emulator signs them again with version 4, in their headers.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use s3s::dto::TimestampFormat;
use s3s::{S3Result, s3_error};

use super::date::date;
use super::signature::{Signed, UNSIGNED, encoded, query_pairs, query_values};
use crate::types::Timestamp;

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const DATE: &str = "x-amz-date";
/// Query parameters of a presigned URL of version 2.
const QUERY: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

/// The access key of a request with version 2.
pub(super) fn access_key_id(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get(AUTHORIZATION) {
        let (access_key_id, _) = header.to_str().ok()?.strip_prefix("AWS ")?.split_once(':')?;
        return Some(access_key_id.to_owned());
    }
    let mut query = query_values(&parts.uri);
    query.get("Signature")?;
    query.remove("AWSAccessKeyId")
}

/// Replaces the signature by one of version 4 with this secret. `now` is the machine's time, for the expiry.
pub(super) fn replace(
    parts: &mut Parts,
    (access_key_id, secret): (&str, &str),
    region: &str,
    now: Timestamp,
) -> S3Result<()> {
    let mut query = query_pairs(&parts.uri);
    let expires = query.iter().find(|(name, _)| name == "Expires").and_then(|(_, value)| value.parse::<u64>().ok());
    if parts.headers.remove(AUTHORIZATION).is_none() && expires.is_none_or(|expires| expires <= now.0 / 1000) {
        return Err(s3_error!(AccessDenied, "Request has expired"));
    }
    query.retain(|(name, _)| !QUERY.contains(&name.as_str()));
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let uri = format!("{}?{}", parts.uri.path(), query.join("&"));
    parts.uri = Uri::try_from(uri.trim_end_matches('?')).map_err(|_| s3_error!(InvalidURI))?;

    let mut text = Vec::new();
    date(now).format(TimestampFormat::DateTime, &mut text).map_err(|_| s3_error!(InternalError))?;
    let text: String = text.into_iter().map(char::from).filter(char::is_ascii_alphanumeric).collect();
    let (day, time) = (&text[..8], format!("{}Z", &text[..15]));
    let headers = [(CONTENT_SHA256, UNSIGNED), (DATE, time.as_str())];
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|_| s3_error!(InternalError))?;
        parts.headers.insert(HeaderName::from_static(name), value);
    }
    Signed::anew(access_key_id, (day, region), &time, &["host", CONTENT_SHA256, DATE]).replace(parts, secret);
    Ok(())
}
