//! Does the work of AWS CodePipeline's custom, third-party and Lambda Invoke actions in a Lambda function.
//!
//! [`run`] is the whole worker, [`run_with`] one with actions of your own beside; docs/architecture.md is the map of the rest.

#[cfg(not(target_os = "linux"))]
compile_error!("the worker runs on Linux, as Lambda does: it keeps commands in check through /proc, prctl and pidfd");

pub mod actions;
pub mod artifacts;
mod bootstrap;
mod calls;
pub mod config;
mod connections;
pub mod event;
pub mod job;
pub mod ledger;
pub mod lifecycle;
pub mod placeholder;
pub mod queue;
pub mod redact;
pub mod report;
mod settings;
pub mod telemetry;
mod text;
mod watchdog;
pub mod worker;
pub mod workspace;

pub use bootstrap::{run, run_with, worker};
