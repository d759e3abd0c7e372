//! Messages for errors that `s3s` answers with their names alone: clients show those as `Unknown`.

use bytes::Bytes;
use http::{Response, Uri};
use s3s::{Body, S3ErrorCode};

use super::signature::decode;

/// The most bytes of a key (S3 User Guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1024;

/// Where a request's object or bucket is, as people write it: `s3://bucket/key`.
pub(crate) fn place(uri: &Uri) -> String {
    format!("s3:/{}", decode(uri.path(), false))
}

/// What an error says about a request to this place.
pub(super) struct Place {
    bucket: String,
    key_length: usize,
}

impl Place {
    pub(super) fn of(uri: &Uri) -> Self {
        let path = decode(uri.path(), false);
        let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        Self { bucket: bucket.to_owned(), key_length: key.len() }
    }

    /// The reply, with a message if it is an error without one.
    pub(super) fn explain(&self, mut reply: Response<Body>) -> Response<Body> {
        let Some(body) = reply.body().bytes().filter(|_| reply.status().is_client_error()) else { return reply };
        let Ok(text) = std::str::from_utf8(&body) else { return reply };
        let Some((head, rest)) = text.split_once("</Code>").filter(|(_, rest)| !rest.contains("<Message>")) else {
            return reply;
        };
        let code = head.rsplit_once("<Code>").and_then(|(_, code)| S3ErrorCode::from_bytes(code.as_bytes()));
        let Some(message) = code.and_then(|code| self.message(&code)) else { return reply };
        let explained = format!("{head}</Code><Message>{}</Message>{rest}", escaped(&message));
        reply.headers_mut().remove(http::header::CONTENT_LENGTH);
        *reply.body_mut() = Body::from(Bytes::from(explained));
        reply
    }

    fn message(&self, code: &S3ErrorCode) -> Option<String> {
        Some(match code {
            S3ErrorCode::InvalidBucketName => format!(
                "{:?} is no name for a bucket: it must have 3 to 63 characters of [a-z0-9.-] and begin and end with a letter or digit",
                self.bucket
            ),
            S3ErrorCode::KeyTooLongError => {
                format!("The key has {} bytes; the limit is {LONGEST_KEY}", self.key_length)
            }
            S3ErrorCode::SignatureDoesNotMatch => {
                "The request's signature is not the one that its access key gives; check the secret access key, and that nothing \
                 changes the request on its way"
                    .to_owned()
            }
            _ => return None,
        })
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
