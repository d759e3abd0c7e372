//! Request bodies: read to the end even after an early response, and without chunk signatures that can't be verified.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Frame;
use s3s::{Body, StdError};

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const UNSIGNED_CHUNKS: HeaderValue = HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
/// The limit of a chunk header, which holds the size in hexadecimal and a signature of 64 digits.
const LONGEST_HEAD: usize = 1024;

/// Reads the rest of a body when it is dropped. A client that is refused while it sends would otherwise see a reset
/// connection instead of the response.
pub(crate) fn read_to_its_end(headers: &HeaderMap, body: Body) -> Body {
    // A client that waits for `100 Continue` gets it at the first read, and sends nothing before.
    let coming = !headers.contains_key(http::header::EXPECT);
    Body::http_body(Draining { body: Some(body), coming })
}

struct Draining {
    body: Option<Body>,
    /// Whether the client sends the body even after a refusal.
    coming: bool,
}

impl hyper::body::Body for Draining {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.coming = true;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.as_ref().map_or_else(|| hyper::body::SizeHint::with_exact(0), hyper::body::Body::size_hint)
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| self.coming && !hyper::body::Body::is_end_stream(body));
        if let (Some(mut body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
        }
    }
}

/// Removes the chunk signatures from an ordinary user's body, and adapts the headers. The signatures depend on the
/// request's signature, which is replaced.
pub(super) fn without_chunk_signatures(headers: &mut HeaderMap, body: Body) -> Body {
    let signed = headers.get(CONTENT_SHA256).and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|value| value.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) {
        return body;
    }
    headers.insert(CONTENT_SHA256, UNSIGNED_CHUNKS);
    if !headers.contains_key(&TRAILER) {
        headers.insert(TRAILER, HeaderValue::from_static("x-amz-trailer-signature"));
    }
    Body::http_body(UnsignedChunks { body, unparsed: BytesMut::new(), state: State::Head, ended: false })
}

/// A body of signed chunks, without their signatures.
struct UnsignedChunks {
    body: Body,
    unparsed: BytesMut,
    state: State,
    ended: bool,
}

enum State {
    /// In the header line of a chunk.
    Head,
    /// In a chunk's data and the line end after it.
    Data(usize),
    /// In the trailers after the last chunk.
    Trailers,
}

#[derive(Debug, thiserror::Error)]
#[error("the body is not aws-chunked, although x-amz-content-sha256 says so")]
struct NotChunked;

impl UnsignedChunks {
    /// The next bytes to pass on; `None` if more must arrive first.
    fn next(&mut self) -> Result<Option<Bytes>, NotChunked> {
        match self.state {
            State::Data(0) => {
                self.state = State::Head;
                self.next()
            }
            State::Data(_) if self.unparsed.is_empty() => Ok(None),
            State::Data(left) => {
                let now = left.min(self.unparsed.len());
                self.state = State::Data(left - now);
                Ok(Some(self.unparsed.split_to(now).freeze()))
            }
            State::Head => {
                let Some(end) = self.unparsed.iter().position(|byte| *byte == b'\n') else {
                    return if self.unparsed.len() > LONGEST_HEAD { Err(NotChunked) } else { Ok(None) };
                };
                let line = self.unparsed.split_to(end + 1);
                let size = std::str::from_utf8(&line).ok().and_then(|line| line.split([';', '\r']).next());
                let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).ok_or(NotChunked)?;
                // The line end after the data belongs to the data. After the last chunk, the trailers follow
                // directly.
                self.state = if size == 0 { State::Trailers } else { State::Data(size.saturating_add(2)) };
                Ok(Some(Bytes::from(format!("{size:x}\r\n"))))
            }
            State::Trailers => {
                let Some(end) = self.unparsed.iter().position(|byte| *byte == b'\n') else {
                    let rest = self.ended && self.unparsed.has_remaining();
                    return Ok(rest.then(|| self.unparsed.split().freeze()));
                };
                let line = self.unparsed.split_to(end + 1).freeze();
                if line.starts_with(b"x-amz-trailer-signature:") { self.next() } else { Ok(Some(line)) }
            }
        }
    }
}

impl hyper::body::Body for UnsignedChunks {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        loop {
            if let Some(bytes) = self.next()? {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.unparsed.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.ended = true,
            }
        }
    }
}
