//! Measures the drain: many short jobs in one invocation, with codepipeline-local in this process and the real worker in a second
//! process of this program, under the Lambda Runtime API. Each answer of CodePipeline and S3 is late by the same time.
//!
//! The first invocation finds no job. It starts the worker's process, and the second invocation is measured.

mod jobs;
mod service;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use codepipeline_local::Options;
use codepipeline_local::clock::Clock;
use codepipeline_local::faults::{Calls, Fault, FaultKind, Faults};
use codepipeline_local::runtime_api::{Function, FunctionSettings, Invocation, Output, scheduled_event};
use codepipeline_local::testing::Local;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The ledger's bucket.
const LEDGER: &str = "ledger";

/// Measures how long a worker takes for many short jobs in one invocation.
#[derive(Parser)]
struct Arguments {
    /// The kind of the jobs: commands that run `true`, or calls of an HTTP service that answers at once
    #[arg(long, value_enum, default_value = "command")]
    kind: Kind,
    /// How many jobs there are
    #[arg(long, value_name = "N", default_value_t = 100)]
    jobs: usize,
    /// How late each answer of CodePipeline and S3 is, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    answer: u64,
    /// How many jobs the worker may run at a time
    #[arg(long, value_name = "N", default_value_t = 4)]
    concurrency: usize,
    /// Give each job an input and an output artifact
    #[arg(long)]
    artifacts: bool,
    /// Write the worker's log to this file, with each call and its time. This costs time
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Run as the worker's process; the program starts itself with this flag
    #[arg(long, hide = true)]
    worker: bool,
}

/// A kind of job.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Command,
    Http,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.worker {
        return codepipeline_worker::run().await;
    }
    match drain(&arguments).await {
        Ok(took) => {
            let each = took.as_secs_f64() * 1000.0 / arguments.jobs as f64;
            println!("{} jobs in {:.0} ms: {each:.1} ms a job", arguments.jobs, took.as_secs_f64() * 1000.0);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("could not measure the drain: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all jobs in one invocation, and returns how long it took.
async fn drain(arguments: &Arguments) -> Result<Duration, Box<dyn Error>> {
    let faults = Faults::default();
    let local = Local::new(Options { faults: faults.clone(), ..Options::default() }).await;
    local.s3.create_bucket().bucket(LEDGER).send().await?;
    jobs::create_type(&local).await;
    let url = service::start().await?;
    let folder = tempfile::tempdir()?;
    let function = Function::new(FunctionSettings {
        name: "drained-worker".into(),
        command: vec![
            std::env::current_exe()?.to_str().ok_or("the program's path is not UTF-8")?.into(),
            "--worker".into(),
        ],
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
        env: environment(arguments, &local, &url, folder.path().to_string_lossy().into_owned()),
        timeout: Duration::from_secs(900),
        memory_mb: 512,
        output: Output::Lines(log(arguments)?),
    })?;
    invoke(&function).await?;
    jobs::create(&local, arguments.jobs, arguments.artifacts).await;
    let late = FaultKind::DelayAnswer(Duration::from_millis(arguments.answer));
    if arguments.answer > 0 {
        faults.add(Fault::new("*", Calls::All, late)?);
    }
    let began = Instant::now();
    let summary = invoke(&function).await?;
    let took = began.elapsed();
    function.stop().await;
    if summary["succeeded"] != arguments.jobs {
        return Err(format!("not all jobs succeeded: {summary}").into());
    }
    Ok(took)
}

/// Invokes the worker as its schedule does, and returns its summary.
async fn invoke(function: &Function) -> Result<Value, Box<dyn Error>> {
    let event = scheduled_event(Clock::machine().now(), "123456789012", "us-east-1");
    match function.invoke(&event).await? {
        Invocation::Answered(summary) => Ok(summary),
        ended => Err(format!("the worker's invocation ended badly: {ended:?}").into()),
    }
}

fn environment(arguments: &Arguments, local: &Local, url: &str, work_folder: String) -> BTreeMap<String, String> {
    let variables = [
        ("ACTIONS", jobs::worker_actions(arguments.kind, url).to_string()),
        ("AWS_ENDPOINT_URL", local.emulator.endpoint()),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        ("AWS_REGION", "us-east-1".into()),
        ("CONCURRENCY", arguments.concurrency.to_string()),
        ("FUNCTION_TIMEOUT", "900".into()),
        ("LEDGER_BUCKET", LEDGER.into()),
        ("RUST_LOG", if arguments.log.is_some() { "DEBUG" } else { "INFO" }.into()),
        (service::KEY_VARIABLE, service::KEY.into()),
        ("WORK_FOLDER", work_folder),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Where the worker's lines go: into the file, or nowhere.
fn log(arguments: &Arguments) -> std::io::Result<mpsc::UnboundedSender<String>> {
    let mut file = arguments.log.as_ref().map(std::fs::File::create).transpose()?;
    let (sender, mut lines) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            // A full disk does not end the measurement.
            let _ = file.as_mut().map(|file| writeln!(file, "{line}"));
        }
    });
    Ok(sender)
}
