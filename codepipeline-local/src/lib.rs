//! A local emulator of AWS CodePipeline's job-worker API, its pipelines and an S3 store.

pub mod api;
pub mod clock;
pub mod engine;
mod ids;
mod listener;
pub mod runtime_api;
pub mod s3;
pub mod types;
