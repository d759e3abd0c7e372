//! Runs a whole pipeline on this machine: codepipeline-local in this process, and the real worker under the Lambda Runtime API in
//! a second process of this program.

mod ending;
mod outside;
mod pipeline;
mod progress;
mod source;
mod worker;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_codepipeline::error::DisplayErrorContext;
use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use clap::Parser;
use codepipeline_local::api::read_connections;
use codepipeline_local::engine::Settings;
use codepipeline_local::testing::sdk_config;
use codepipeline_local::{Emulator, Options};

/// How often the demo reads the pipeline's state.
const REFRESH: Duration = Duration::from_millis(200);

/// Runs a real pipeline on this machine: an S3 source from a folder, Test, Build and Deploy actions, and a partner's action.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// The folder to use as the pipeline's source [default: this repository's src]
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/src"), hide_default_value = true)]
    source: PathBuf,
    /// The shell command that the Test action runs in the source folder [default: count its files and lines]
    #[arg(long, value_name = "CMD", default_value = pipeline::INSPECT, hide_default_value = true)]
    command: String,
    /// Where the output artifact is unpacked [default: target/demo in this repository]
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/demo"), hide_default_value = true)]
    output: PathBuf,
    /// Show the worker's log lines, too
    #[arg(long)]
    verbose: bool,
    /// Run as the worker's process; the demo starts itself with this flag
    #[arg(long, hide = true)]
    worker: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.worker {
        return codepipeline_worker::run().await;
    }
    match demo(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the demo could not run: {}", DisplayErrorContext(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Runs the demo. Returns whether the pipeline succeeded.
async fn demo(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let zip = source::zipped(&arguments.source)
        .map_err(|error| format!("could not read the source folder {}: {error}", arguments.source.display()))?;
    let emulator = Emulator::start(options()?).await?;
    println!("codepipeline-local listens on {}", emulator.endpoint());
    let shared = sdk_config(&emulator.endpoint());
    let codepipeline = aws_sdk_codepipeline::Client::new(&shared);
    let s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);

    pipeline::create(&codepipeline, &arguments.command).await?;
    println!("the source is {}, {} bytes as a zip", arguments.source.display(), zip.len());
    s3.create_bucket().bucket(worker::LEDGER).send().await?;
    s3.put_object().bucket(pipeline::SOURCE_BUCKET).key(pipeline::SOURCE_KEY).body(zip.into()).send().await?;

    let outside = outside::Outside::start(pipeline::CLIENT_TOKEN.to_owned()).await?;
    let worker = worker::WorkerProcess::start(&emulator.endpoint(), &outside, arguments)?;
    let ran = run_pipeline(&codepipeline, &worker).await;
    worker.stop().await;
    let status = ran?;
    ending::tell(&codepipeline, &s3, &arguments.output).await?;
    emulator.stop().await;
    let succeeded = status == PipelineExecutionStatus::Succeeded;
    println!("\nthe pipeline {}", if succeeded { "succeeded".into() } else { format!("ended as {status}") });
    Ok(succeeded)
}

/// Continuations are offered after a second instead of half a minute, and every run has its own ids.
fn options() -> Result<Options, String> {
    let engine = Settings { continuation_delay: Duration::from_secs(1), ..Settings::default() };
    let connections = read_connections(&pipeline::connections())?;
    Ok(Options { seed: fastrand::u64(..), engine, connections: Some(connections), ..Options::default() })
}

/// Starts an execution and shows it until it has finished.
async fn run_pipeline(
    client: &aws_sdk_codepipeline::Client,
    worker: &worker::WorkerProcess,
) -> Result<PipelineExecutionStatus, Box<dyn Error>> {
    let started = client.start_pipeline_execution().name(pipeline::NAME).send().await?;
    let id = started.pipeline_execution_id().unwrap_or_default();
    println!("the pipeline runs as execution {id}\n");
    let mut progress = progress::Progress::new();
    loop {
        let state = client.get_pipeline_state().name(pipeline::NAME).send().await?;
        progress.update(&progress::actions(&state));
        let execution =
            client.get_pipeline_execution().pipeline_name(pipeline::NAME).pipeline_execution_id(id).send().await?;
        match execution.pipeline_execution().and_then(|execution| execution.status()) {
            Some(PipelineExecutionStatus::InProgress) | None if worker.is_hopeless() => {
                return Err("the worker does not start; its log says why".into());
            }
            Some(PipelineExecutionStatus::InProgress) | None => tokio::time::sleep(REFRESH).await,
            Some(status) => {
                let state = client.get_pipeline_state().name(pipeline::NAME).send().await?;
                progress.update(&progress::actions(&state));
                return Ok(status.clone());
            }
        }
    }
}
