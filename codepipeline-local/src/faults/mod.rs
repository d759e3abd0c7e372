//! Requests that go wrong on purpose: refused, broken off, unanswered, late or cut short, as a network and a busy service
//! have it now and then. For CodePipeline and S3 alike.
//!
//! A [`Fault`] says of which operation's calls which go wrong, and how; a [`Throttle`] holds an operation to a steady rate. Both are
//! given to [`Faults`], before the emulator starts or while it runs.

mod armed;
mod call;
mod delayed;
mod fault;
mod grammar;
mod inject;
mod mistake;
mod refusal;
mod token_bucket;
mod transfer;

pub use armed::{Faults, Fired};
pub(crate) use call::Call;
pub use call::operations;
pub(crate) use delayed::DelayedCalls;
pub use fault::{Calls, Fault, FaultKind, Throttle};
pub(crate) use inject::inject;
pub use mistake::InvalidFault;
pub(crate) use refusal::Caller;
