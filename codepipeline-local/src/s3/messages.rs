//! Messages for errors that `s3s` returns without one, which clients show as `Unknown`.

use bytes::Bytes;
use http::{Response, StatusCode};
use s3s::{Body, S3Error, S3ErrorCode};

use super::place::Place;

/// The limit of a key, in bytes (S3 User Guide, "Naming Amazon S3 objects").
const LONGEST_KEY: usize = 1024;

/// The bucket and key of a request, for error messages.
pub(super) struct ErrorContext {
    bucket: String,
    key_length: usize,
}

impl ErrorContext {
    pub(super) fn of(place: &Place) -> Self {
        let key_length = place.key.as_deref().map_or(0, str::len);
        Self { bucket: place.bucket.clone().unwrap_or_default(), key_length }
    }

    /// Adds a message to an error response without one.
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
                "{:?} is not a valid bucket name: it must have 3 to 63 characters of [a-z0-9.-] and begin and end with a letter or digit",
                self.bucket
            ),
            S3ErrorCode::KeyTooLongError => {
                format!("The key has {} bytes; the limit is {LONGEST_KEY}", self.key_length)
            }
            S3ErrorCode::SignatureDoesNotMatch => {
                "The request's signature does not match its access key: check the secret access key, and that nothing \
                 changes the request in transit"
                    .to_owned()
            }
            _ => return None,
        })
    }
}

/// An error with a code that `s3s` does not know.
pub(super) fn error(code: &str, status: StatusCode, message: impl Into<String>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message.into());
    error.set_status_code(status);
    error
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
