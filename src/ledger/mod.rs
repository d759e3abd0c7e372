//! The ledger: for each job that a worker takes, an S3 object with the worker that runs it, until when, and what a
//! successor needs.
//!
//! This module sends single requests, each of them once, and each write with a condition. The protocol (`lifecycle`)
//! decides what to write, what to try again and what a lost response means.
//!
//! **Time.** Nothing here compares the worker's clock with S3's. A lease is a span that a worker computes on its own
//! monotonic clock. It counts from the `Last-Modified` of the write, which is never earlier than the write was sent. A
//! worker that reads an entry takes its age from S3's `Date` and `Last-Modified` in one response. An absolute time
//! would compare two wall clocks, and each may be wrong by any amount.
//!
//! **Versions.** An object's ETag changes with its content, and each entry holds the random id of its write. So a
//! condition on an ETag never holds for a later object. The marks of finished jobs are all empty. That
//! does no harm, because they are only swept.

mod entry;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod store;

pub use entry::{Content, Entry, InvocationId, Phase, Unreadable, WriteId};
pub use error::LedgerError;
pub use key::Key;
pub use store::{Found, Ledger, Listed, Version, WriteResult};
