//! Calls to services: how often to try one, what a failed try means, and whether an earlier try may have taken effect.
//!
//! There are three parts: the [`Budget`] (tries, deadline, pauses), the loop [`retry()`], and the table [`sort`]. The
//! table turns an error of any SDK into refused, throttled or unanswered. A caller adds only its own error codes.
//!
//! SDK clients that use the loop don't retry on their own (`RetryConfig::disabled()`). A refusal may be the effect of
//! an earlier try whose response got lost, and the SDK's own retries hide that try.
//!
//! **Why not `backon`.** All decisions would stay outside of its loop. It adds jitter to a fixed pause, while
//! [`Pauses`] are random as a whole ("full jitter"). Its time limit reads the standard clock, which tests can't pause.
//! It neither cuts off a try nor shortens a pause. It returns the last error and forgets earlier ones.

mod budget;
mod retry;
mod table;

pub(crate) use budget::{Budget, Pauses};
pub(crate) use retry::{GaveUp, Responded, retry, retry_paced};
pub(crate) use table::{ErrorResponse, Failed, Meaning, NoResponse, sort, sort_by_status};
