//! A file with a size limit. It fails as soon as it is too large, or at its end if it is too small, so no object is
//! created.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use multer::Field;

use super::policy::Sizes;

/// Why a file was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooSmall,
    TooLarge,
    /// The form ended inside the file.
    Malformed,
}

/// A slot for the refusal, which the response reads.
#[derive(Clone, Default)]
pub(super) struct RefusalSlot(Arc<Mutex<Option<Refusal>>>);

impl RefusalSlot {
    pub(super) fn get(&self) -> Option<Refusal> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, refusal: Refusal) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        io::Error::other("the form's file was refused")
    }
}

pub(super) struct LimitedFile {
    file: Field<'static>,
    sizes: Sizes,
    seen: u64,
    refusal: RefusalSlot,
}

impl LimitedFile {
    pub(super) fn new(file: Field<'static>, sizes: Sizes, refusal: RefusalSlot) -> Self {
        Self { file, sizes, seen: 0, refusal }
    }
}

impl Stream for LimitedFile {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(Pin::new(&mut self.file).poll_next(cx));
        Poll::Ready(match item {
            Some(Ok(bytes)) => {
                self.seen += bytes.len() as u64;
                let too_large = self.seen > self.sizes.most;
                Some(if too_large { Err(self.refusal.refuse(Refusal::TooLarge)) } else { Ok(bytes) })
            }
            Some(Err(_)) => Some(Err(self.refusal.refuse(Refusal::Malformed))),
            None if self.seen < self.sizes.least => Some(Err(self.refusal.refuse(Refusal::TooSmall))),
            None => None,
        })
    }
}
