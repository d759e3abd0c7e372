//! Where the emulator's log lines go.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes the emulator's own lines to standard error, without those of the S3 crates: they log whole requests, and expected errors.
/// Standard output has the lines with the addresses, and the output of commands, workers and functions. `verbose` adds a line for each request.
pub(super) fn start(verbose: bool) {
    let mut own = Targets::new().with_target("codepipeline_local", LevelFilter::INFO);
    if verbose {
        own = own.with_target("codepipeline_local::outcome", LevelFilter::DEBUG);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(own).init();
}
