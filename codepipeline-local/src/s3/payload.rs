//! Checks of a body against its request: its hash, or the frame and signatures of its chunks (S3 API Reference,
//! "Authenticating requests"). `s3s` also checks them, but returns 500.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use hyper::body::{Body as _, Frame, SizeHint};
use s3s::{Body, S3Error, S3Result, StdError, s3_error};
use sha2::{Digest, Sha256};

use super::chunks::Chunks;
use super::messages::error;
use super::signature::{CONTENT_SHA256, ChunkSigner, UNSIGNED, hex};

/// A slot for the error of a body, filled once it has been read.
#[derive(Clone, Default)]
pub(super) struct BodyError(Arc<Mutex<Option<S3Error>>>);

impl BodyError {
    pub(super) fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn give(&self, error: S3Error) -> StdError {
        let text = error.code().as_str().to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        text.into()
    }
}

/// Wraps the body so that it fails if it does not match the request. `signer` checks chunk signatures, if the secret
/// is known.
pub(super) fn compared(parts: &Parts, body: Body, signer: Option<ChunkSigner>) -> S3Result<(Body, BodyError)> {
    let body_error = BodyError::default();
    let Some(declared) = parts.headers.get(CONTENT_SHA256) else { return Ok((body, body_error)) };
    let declared = declared.to_str().unwrap_or_default();
    let check = match declared {
        UNSIGNED => return Ok((body, body_error)),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Check::Chunks(Box::new(Chunks::new(&parts.headers, None)?)),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            Check::Chunks(Box::new(Chunks::new(&parts.headers, signer)?))
        }
        // `s3s` refuses these by name.
        _ if declared.starts_with("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD") => return Ok((body, body_error)),
        _ if declared.len() == 64 && declared.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it)) => {
            Check::Hash { declared: declared.to_owned(), seen: Sha256::new() }
        }
        _ => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
            ));
        }
    };
    let left = body.size_hint().exact();
    let mut compared = Compared { body, left, check: Some(check), body_error: body_error.clone() };
    if compared.body.is_end_stream() {
        compared.end()?;
        return Ok((compared.body, body_error));
    }
    Ok((Body::http_body_unsync(compared), body_error))
}

enum Check {
    Hash { declared: String, seen: Sha256 },
    Chunks(Box<Chunks>),
}

struct Compared {
    body: Body,
    /// The number of bytes still to come, if known. A reader may stop after them.
    left: Option<u64>,
    check: Option<Check>,
    body_error: BodyError,
}

impl Compared {
    fn see(&mut self, bytes: &[u8]) -> S3Result<()> {
        match &mut self.check {
            Some(Check::Hash { seen, .. }) => seen.update(bytes),
            Some(Check::Chunks(chunks)) => chunks.see(bytes)?,
            None => {}
        }
        self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
        if self.left == Some(0) { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> S3Result<()> {
        match self.check.take() {
            Some(Check::Hash { declared, seen }) => {
                let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                let same = hex(&seen.finalize()) == declared;
                let mismatch = || error("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST, message);
                if same { Ok(()) } else { Err(mismatch()) }
            }
            Some(Check::Chunks(chunks)) => chunks.end(),
            None => Ok(()),
        }
    }
}

impl hyper::body::Body for Compared {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => {
                let ended = self.end().map_err(|error| self.body_error.give(error));
                return Poll::Ready(ended.err().map(Err));
            }
        };
        let seen = match frame.data_ref().cloned() {
            Some(data) => self.see(&data),
            None => Ok(()),
        };
        Poll::Ready(Some(seen.map(|()| frame).map_err(|error| self.body_error.give(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.check.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
