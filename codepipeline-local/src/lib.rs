//! A local emulator of AWS CodePipeline's job-worker API, its pipelines and an S3 store.
//!
//! [`Emulator`] serves both on one loopback port. [`runtime_api`] runs Lambda functions as processes. Inside, [`api`] reads
//! requests and writes replies. [`engine`] decides: it does no I/O and gets the time as an argument. S3 asks the engine what a job's
//! credentials allow, and the engine requests copies. The two share only [`types`].

mod access_keys;
mod action_logs;
pub mod api;
pub mod cli;
mod client_environment;
pub mod clock;
mod counted;
mod dates;
mod direct_hosts;
mod durations;
mod endpoints;
pub mod engine;
mod event_pattern;
mod expectation;
mod family;
pub mod faults;
mod ids;
mod invocation;
mod kept_engine;
mod listener;
mod options;
mod outcome;
mod page;
mod process_tree;
pub mod providers;
mod quoted;
mod reply;
mod request_log;
pub mod runtime_api;
mod s3;
mod secret_forms;
mod secrets;
mod server;
mod services;
mod shell;
mod store;
mod sts;
mod subscribers;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
pub mod types;
mod web_pages;
mod wire;
mod yaml;

pub use access_keys::AccessKeys;
pub use endpoints::{Endpoint, Endpoints, InvalidEndpoint};
pub use event_pattern::EventPattern;
pub use faults::Faults;
pub use invocation::JobInvocation;
pub use options::Options;
pub use page::PageMode;
pub use s3::S3Pace;
pub use server::Emulator;
