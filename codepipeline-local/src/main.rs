//! The emulator's command line.

use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
async fn main() -> ExitCode {
    // The emulator's own lines alone: the S3 crates log requests, and errors that are ordinary answers. Standard output is for
    // whoever waits for the first line.
    let own = Targets::new().with_target("codepipeline_local", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(own).init();
    match codepipeline_local::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codepipeline-local: {error}");
            ExitCode::FAILURE
        }
    }
}
