//! The Lambda function.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    codepipeline_worker::run_with(vec![own_action::served()]).await
}
