//! The Lambda bootstrap.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    codepipeline_worker::run().await
}
