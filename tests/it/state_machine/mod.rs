//! The `stateMachine` action: the SDK's own client against a fake of Step Functions.

mod continuing;
pub(crate) mod fake;
pub(crate) mod scenario;
mod starting;
mod stopping;
