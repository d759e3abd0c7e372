//! Runs AWS CodePipeline custom and third-party actions in a Lambda function.

pub mod actions;
pub mod artifacts;
pub mod job;
pub mod placeholder;
pub mod redact;
pub mod workspace;
