//! `Expect: 100-continue`: the client gets `100 Continue`, or a response after which the connection closes (RFC 9110, 10.1.1).
//!
//! The library hyper sends `100 Continue` when a body is first read, and never for an empty body. The library botocore also expects it for empty bodies.
//! Without either, botocore waits 60 s for its next response on the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use s3s::{Body, StdError};

use crate::wire::Wire;

/// The state of a client's expectation of `100 Continue`.
pub(crate) struct Expectation {
    /// Whether the body was read, if the client waits for `100 Continue`.
    begun: Option<Arc<AtomicBool>>,
}

impl Expectation {
    /// Wraps a request's body, and sends `100 Continue` at once if the body is empty.
    pub(crate) async fn of(request: Request<Incoming>) -> (Request<Body>, Self) {
        let (parts, body) = request.into_parts();
        let expects = parts.headers.get(EXPECT).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        if !expects || parts.version <= Version::HTTP_10 {
            return (Request::from_parts(parts, Body::from(body)), Self { begun: None });
        }
        if body.is_end_stream() {
            if let Some(wire) = parts.extensions.get::<Wire>().cloned() {
                wire.send_continue().await;
            }
            return (Request::from_parts(parts, Body::from(body)), Self { begun: None });
        }
        let begun = Arc::new(AtomicBool::new(false));
        let body = Body::http_body(Watched { body, begun: Arc::clone(&begun) });
        (Request::from_parts(parts, body), Self { begun: Some(begun) })
    }

    /// Closes the connection after the reply if the client got no `100 Continue`. The client must not send the body now, because
    /// hyper would read a late body as the next request.
    pub(crate) fn settle(&self, reply: &mut Response<Body>) {
        if self.begun.as_ref().is_some_and(|begun| !begun.load(Ordering::Relaxed)) {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A body that records whether it was read.
struct Watched {
    body: Incoming,
    begun: Arc<AtomicBool>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.begun.store(true, Ordering::Relaxed);
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
