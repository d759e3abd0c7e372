//! The emulator's command line.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match codepipeline_local::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codepipeline-local: {error}");
            ExitCode::FAILURE
        }
    }
}
