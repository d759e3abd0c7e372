//! The `stateMachine` action, with the SDK's own client against a Step Functions of ours.

pub(crate) mod fake;
mod looking;
pub(crate) mod scenario;
mod starting;
mod stopping;
