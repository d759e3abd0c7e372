//! Calls to services: how often to try one, what a failed try means, and whether an earlier try may have taken effect.
//!
//! There are four parts: the [`Budget`] (tries, deadline, pauses), the loop [`retry()`], the table [`sort`], and [`LogCalls`], which
//! logs each call at DEBUG. The
//! table turns an error of any SDK into refused, throttled or unanswered. A caller adds only its own error codes.
//!
//! SDK clients that use the loop don't retry on their own (`RetryConfig::disabled()`). A refusal may be the effect of
//! an earlier try whose response got lost, and the SDK's own retries hide that try.
//!
//! **Loops that stay outside.** They don't repeat one request:
//!
//! - `artifacts/download.rs`: Each request resumes where the last body broke off.
//! - `lifecycle/intake.rs`: The ledger's protocol decides after each acknowledgement whether another one follows.
//! - `lifecycle/keeper.rs`: The next request depends on what the last one found in the ledger.
//! - `worker/started.rs`: Each poll succeeds. The next one waits for a job that may not exist yet.
//! - `lifecycle/reporting/sending.rs`: After a rejection, it sends another report.
//!
//! **Why not `backon`.** All decisions would stay outside of its loop. It adds jitter to a fixed pause, while
//! [`Pauses`] are random as a whole ("full jitter"). Its time limit reads the standard clock, which tests can't pause.
//! It neither cuts off a try nor shortens a pause. It returns the last error and forgets earlier ones.

mod budget;
mod log;
mod retry;
mod table;

pub(crate) use budget::{Budget, Pauses};
#[cfg(feature = "http")]
pub(crate) use log::CallLog;
pub(crate) use log::LogCalls;
pub(crate) use retry::{GaveUp, Responded, retry, retry_paced};
pub(crate) use table::{ErrorResponse, Failed, Meaning, NoResponse, sort, sort_by_status};
