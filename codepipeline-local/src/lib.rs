//! A local emulator of AWS CodePipeline's job-worker API, its pipelines and an S3 store.

pub mod api;
pub mod cli;
pub mod clock;
mod dates;
pub mod engine;
mod event_pattern;
mod ids;
mod listener;
mod request_log;
pub mod runtime_api;
mod s3;
mod server;
mod shell;
mod subscribers;
pub mod types;

pub use event_pattern::EventPattern;
pub use s3::S3Pace;
pub use server::{Emulator, JobInvocation, Options};
