//! The `stateMachine` action, with the SDK's own client against a Step Functions of ours.
#![allow(clippy::unwrap_used, reason = "a scenario that can't be set up is a test that fails")]

mod fake;
mod looking;
mod scenario;
mod starting;
mod stopping;
