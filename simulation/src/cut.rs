//! A body that ends too early.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

/// The first half of some bytes, and then an error.
pub(crate) struct Cut(Option<Bytes>);

impl Cut {
    /// Cuts these bytes in half.
    pub(crate) fn half(mut bytes: Bytes) -> Self {
        bytes.truncate(bytes.len() / 2);
        Self(Some(bytes))
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(std::io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
