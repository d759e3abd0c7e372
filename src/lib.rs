//! Executes the jobs of AWS CodePipeline actions in a Lambda function: custom, third-party and Lambda Invoke actions.
//!
//! The ready-made worker needs no Rust: it is configured with `ACTIONS` (README.md). Use this library to write an action in
//! Rust. The worker around it polls for the jobs, claims them, stages their artifacts, reports their outcomes, and adopts them
//! after a worker death.
//!
//! # An action and its worker
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use codepipeline_worker::actions::{Action, Served, Turn};
//! use codepipeline_worker::job::{ActionTypeId, Failure, FailureCode, FailureKind, Finished, Outcome};
//!
//! const EMPTY: FailureCode = FailureCode::new("SourceEmpty");
//!
//! /// Counts the files of the first input artifact.
//! struct CountFiles;
//!
//! impl Action for CountFiles {
//!     async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
//!         let input = turn.job.inputs.first().map(|artifact| turn.workspace.input(&artifact.name));
//!         let files = input.and_then(|folder| std::fs::read_dir(folder).ok()).map_or(0, Iterator::count);
//!         if files == 0 {
//!             return Err(Failure::new(FailureKind::JobFailed, EMPTY, "the first input artifact has no files"));
//!         }
//!         Ok(Outcome::Finished(Finished {
//!             summary: Some(format!("{files} files")),
//!             variables: [("Files".to_owned(), files.to_string())].into(),
//!             ..Finished::default()
//!         }))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     let [owner, category, provider, version] = ["Custom", "Test", "CountFiles", "1"].map(str::to_owned);
//!     let action_type = ActionTypeId { category, owner, provider, version };
//!     let served = Served::new(action_type, Duration::from_secs(60), CountFiles);
//!     codepipeline_worker::run_with(vec![served]).await
//! }
//! ```
//!
//! # What to read, in order
//!
//! 1. [`actions::Action`]: the trait. `start` is the only method that every action needs.
//! 2. [`actions::Turn`]: what an action receives. It has the [`job::Job`], its folders ([`workspace::Workspace`]), the deadline,
//!    and presigned links to the artifacts ([`actions::Links`]).
//! 3. [`job::Outcome`]: what an action returns. Work that outlasts an invocation returns [`job::Continuation`], and a later job
//!    resumes it.
//! 4. [`job::Failure`] and [`job::FailureCode`]: what an action returns if its work fails. [`job::limits`] says how much
//!    CodePipeline takes of each part.
//! 5. [`actions::Served`]: the action type to poll for, its timeouts, its secrets, and what happens to its job after a worker
//!    death.
//! 6. [`run_with`]: the function's `main`.
//! 7. [`testing`]: the same worker in a test.
//!
//! `examples/own-action/` is a complete worker to copy, with its test and its template. docs/actions/rust.md has the rules for an
//! action's code. docs/architecture.md is the map of the worker itself.

#[cfg(not(target_os = "linux"))]
compile_error!("the worker runs on Linux, as Lambda does: it supervises commands through /proc, prctl and pidfd");

pub mod actions;
pub mod job;
pub mod workspace;

// The worker's own parts. They are public for the crate's tests, the simulation and the fuzz targets.
#[doc(hidden)]
pub mod artifacts;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod event;
#[doc(hidden)]
pub mod ledger;
#[doc(hidden)]
pub mod lifecycle;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod placeholder;
#[doc(hidden)]
pub mod queue;
#[doc(hidden)]
pub mod redact;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod telemetry;
#[doc(hidden)]
pub mod worker;

mod bootstrap;
mod calls;
mod connections;
mod settings;
mod text;
mod watchdog;

pub use aws_config::SdkConfig;
#[doc(hidden)]
pub use bootstrap::worker;
pub use bootstrap::{run, run_with, testing};
