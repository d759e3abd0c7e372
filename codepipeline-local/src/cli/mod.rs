//! The command line.

mod address;
mod completions;
mod environment;
mod function;
mod logging;
mod numbers;
mod providers;
#[cfg(test)]
mod readme;
mod run;
mod serve;
mod settings;
mod shown;
mod signals;
mod standard_output;
mod words;
mod worker;

use clap::{CommandFactory, Parser, Subcommand};

/// AWS CodePipeline's job-worker API, its pipelines and an S3 store, on this machine
#[derive(Parser)]
#[command(name = "codepipeline-local", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Completions(completions::Completions),
    Run(Box<run::RunFlags>),
    Serve(Box<serve::Serve>),
}

/// Runs the command that the command line names. Ends the process if the command line is wrong. The error is for the user to read.
pub async fn run() -> Result<(), String> {
    match Arguments::parse().command {
        Command::Completions(completions) => completions.run(Arguments::command()),
        Command::Run(flags) => run::run(*flags).await,
        Command::Serve(serve) => serve.run().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_declared_consistently() {
        Arguments::command().debug_assert();
    }
}
