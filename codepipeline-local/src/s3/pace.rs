//! A slow S3, for tests of renewals and timeouts during a transfer.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use s3s::{Body, StdError};

use crate::clock::Clock;
use crate::types::Timestamp;

/// The pace of S3 for requests with a job's credentials, in the emulator's time. Other requests are not slowed. By
/// default, there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct S3Pace {
    /// The delay before a response. Expired credentials are refused before it.
    pub delay: Duration,
    /// The rate of each body, of requests and responses. `None`: unlimited.
    pub bytes_per_second: Option<NonZeroU64>,
}

impl S3Pace {
    /// Limits a body to the pace.
    pub(super) fn slow(self, clock: &Clock, body: Body) -> Body {
        match self.bytes_per_second {
            None => body,
            Some(rate) => {
                let began = clock.now();
                Body::http_body_unsync(Paced { body, clock: clock.clone(), rate, began, passed: 0, held: None })
            }
        }
    }

    /// Waits until the response may begin.
    pub(super) async fn wait(self, clock: &Clock) {
        if !self.delay.is_zero() {
            clock.reached(Some(clock.now().after(self.delay))).await;
        }
    }
}

struct Paced {
    body: Body,
    clock: Clock,
    rate: NonZeroU64,
    began: Timestamp,
    /// The number of bytes passed, including a held frame.
    passed: u64,
    held: Option<Held>,
}

/// A frame that arrived too early, and the timer until it may pass.
struct Held {
    frame: Frame<Bytes>,
    due: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl hyper::body::Body for Paced {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.held.is_none() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            self.passed += frame.data_ref().map_or(0, |data| data.len() as u64);
            let after = Duration::from_millis(self.passed.saturating_mul(1000) / self.rate);
            let (clock, moment) = (self.clock.clone(), self.began.after(after));
            self.held = Some(Held { frame, due: Box::pin(async move { clock.reached(Some(moment)).await }) });
        }
        if let Some(held) = &mut self.held {
            ready!(held.due.as_mut().poll(cx));
        }
        Poll::Ready(self.held.take().map(|held| Ok(held.frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().and_then(|held| held.frame.data_ref()).map_or(0, |data| data.len() as u64);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + held);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}
