//! The ledger: for each job that a worker takes, an S3 object that says who runs it, until when, and what a successor needs.
//!
//! Here are single tries of single requests, each of them conditional. What is written when, what is tried again and what a
//! lost answer means is the protocol's business (`lifecycle`).
//!
//! **Time.** Nothing here compares one of our clocks with S3's. A lease is a span, written into the entry by a worker that
//! reckons its deadline on its own monotonic clock, and it counts from the `Last-Modified` that S3 gives to this very write,
//! which is never before it was sent. Who reads an entry takes its age from S3's `Date` and `Last-Modified` of the same
//! answer. An absolute time in the entry would instead be the writer's wall clock, which may be wrong by any amount, against
//! the reader's.
//!
//! **Versions.** An object's ETag changes with its content, and each content is unlike any other since it holds the random id
//! of its write, so a condition on an ETag can't be met by a later object that happens to look the same. The marks of jobs
//! that are done are empty and all alike, which is no harm: nothing but being swept happens to them.

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
