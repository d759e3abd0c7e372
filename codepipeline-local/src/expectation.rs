//! `Expect: 100-continue`: a client that asks gets `100 Continue`, or an answer after which the connection closes.
//!
//! hyper sends `100 Continue` when a body is read for the first time, and never for an empty body. botocore asks with empty
//! bodies too, and waits 60 s for its next answer on a connection that gave it none of the two (RFC 9110, 10.1.1).

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

/// The rest of what a client expects, apart from the answer.
pub(crate) struct Expectation {
    /// Whether the body has been read from, where the client waits for `100 Continue`.
    begun: Option<Arc<AtomicBool>>,
}

impl Expectation {
    /// Takes over a request's body, and sends `100 Continue` at once if the body is empty.
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

    /// Closes the connection after the reply if the client got no `100 Continue`: the client must not send the body now, and
    /// hyper can't tell a late body from the next request.
    pub(crate) fn settle(&self, reply: &mut Response<Body>) {
        if self.begun.as_ref().is_some_and(|begun| !begun.load(Ordering::Relaxed)) {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A body that notes when it is read from.
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
