//! Injected faults, for CodePipeline and S3: refused, reset, unanswered, late or cut-off calls, as on a bad network
//! or with a busy service.
//!
//! A [`Fault`] says which calls of an operation fail, and how. A [`Throttle`] limits the rate of an operation.
//! [`Faults`] holds both; they can be added before the start or while the emulator runs.

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
