//! Runs AWS CodePipeline custom and third-party actions in a Lambda function.

pub mod actions;
pub mod job;
pub mod workspace;
