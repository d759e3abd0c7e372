//! The command line.

mod function;
mod logging;
mod serve;
mod settings;

use clap::{Parser, Subcommand};

/// AWS CodePipeline's job-worker API, its pipelines and an S3 store, on this machine
#[derive(Parser)]
#[command(name = "codepipeline-local", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
}

/// Reads the command line and does what it says; ends the process if it is wrong. The error is for the user to read.
pub async fn run() -> Result<(), String> {
    match Arguments::parse().command {
        Command::Serve(serve) => serve.run().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_declared_without_contradiction() {
        Arguments::command().debug_assert();
    }
}
