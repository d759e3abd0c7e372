//! Bodies that end early.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use s3s::{Body, HttpError, StdError};

use crate::wire::Wire;

/// The reason for a connection that ends without a full response.
#[derive(Debug, thiserror::Error)]
#[error("a fault dropped the connection")]
pub(crate) struct BrokenConnection;

impl From<BrokenConnection> for HttpError {
    fn from(broken: BrokenConnection) -> Self {
        Self::new(Box::new(broken))
    }
}

/// The response's body, which ends after this many bytes. The connection ends once they are sent. The announced
/// length stays.
pub(super) fn cut_response(body: Body, bytes: u64, wire: Wire) -> Body {
    Body::http_body(CutResponse { body, wire, state: State::Passing(bytes) })
}

struct CutResponse {
    body: Body,
    wire: Wire,
    state: State,
}

enum State {
    /// This many bytes may still pass.
    Passing(u64),
    /// They have passed, and the body continues.
    Over,
    /// The passed bytes are sent once there are more flushes than these.
    Flushing(u64),
}

impl hyper::body::Body for CutResponse {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        loop {
            match self.state {
                State::Passing(left) => {
                    let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                        Some(Ok(frame)) => frame,
                        other => return Poll::Ready(other),
                    };
                    let Ok(data) = frame.into_data() else { continue };
                    let (now, over) = split(data, left);
                    self.state = if over { State::Over } else { State::Passing(left - now.len() as u64) };
                    if !now.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(now))));
                    }
                }
                // If the body failed now, hyper would drop the bytes that it has not written yet.
                State::Over => {
                    self.state = State::Flushing(self.wire.flushes());
                    self.wire.wake_at_flush(cx);
                    return Poll::Pending;
                }
                State::Flushing(before) if self.wire.flushes() == before => {
                    self.wire.wake_at_flush(cx);
                    return Poll::Pending;
                }
                State::Flushing(_) => return Poll::Ready(Some(Err(BrokenConnection.into()))),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The request's body, which fails after this many bytes. `was_cut` becomes true if the body is longer.
pub(super) fn cut_request(body: Body, bytes: u64, was_cut: Arc<AtomicBool>) -> Body {
    Body::http_body(CutRequest { body, left: bytes, was_cut })
}

struct CutRequest {
    body: Body,
    left: u64,
    was_cut: Arc<AtomicBool>,
}

impl hyper::body::Body for CutRequest {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        loop {
            if self.was_cut.load(Ordering::Relaxed) {
                return Poll::Ready(Some(Err(BrokenConnection.into())));
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            let Ok(data) = frame.into_data() else { continue };
            let (now, over) = split(data, self.left);
            self.left -= now.len() as u64;
            if over {
                self.was_cut.store(true, Ordering::Relaxed);
            }
            if !now.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(now))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The bytes that may pass, and whether more follow.
fn split(mut data: Bytes, left: u64) -> (Bytes, bool) {
    match usize::try_from(left) {
        Ok(left) if left < data.len() => (data.split_to(left), true),
        _ => (data, false),
    }
}
