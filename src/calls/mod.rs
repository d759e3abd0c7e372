//! Calls to services: how often they are tried, what a failed try means, and whether an earlier one may have taken effect.
//!
//! Three parts: the [`Budget`] (tries, deadline, pauses), the loop [`retry`], and the table [`sort`], which turns an error of
//! any SDK into refused, throttled or unanswered. A caller adds only its own error codes.
//!
//! The SDK's clients that use the loop don't retry by themselves (`RetryConfig::disabled()`). A refusal may be the effect of an
//! earlier try whose response got lost. The SDK's own retries hide that try.
//!
//! **Why not `backon`.** Its loop could stay only with every decision made outside of it. Its jitter adds to a fixed pause,
//! while [`Pauses`] are random as a whole ("full jitter"). Its time limit reads the standard clock, which tests can't pause,
//! and neither cuts off a try nor shortens a pause. Its result holds the last error and forgets the earlier ones.

mod budget;
mod retry;
mod table;

pub(crate) use budget::{Budget, Pauses};
pub(crate) use retry::{Answered, GaveUp, retry, retry_paced};
pub(crate) use table::{ErrorResponse, Failed, Kind, NoResponse, sort};
