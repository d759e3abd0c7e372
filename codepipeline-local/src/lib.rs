//! A local emulator of AWS CodePipeline's job-worker API, its pipelines and an S3 store.

pub mod types;
