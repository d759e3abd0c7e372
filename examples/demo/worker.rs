//! The worker's process: a second process of this program, under the emulator's Lambda Runtime API, invoked every second.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use codepipeline_local::runtime_api::{Function, FunctionSettings, Invocation, Output, Schedule};
use tokio::sync::mpsc;

use crate::outside::{Outside, WEBHOOK_KEY};
use crate::{Arguments, pipeline};

/// In a demo, an action should not wait for a whole minute.
const SCHEDULE: Duration = Duration::from_secs(1);

/// The function and its triggers.
pub(crate) struct WorkerProcess {
    function: Function,
    schedule: Schedule,
    starts_in_vain: Arc<AtomicU32>,
}

/// The demo ends after this many failed invocations in a row.
const PATIENCE: u32 = 3;

impl WorkerProcess {
    /// Starts the worker. Its log goes to a file next to the output, and to the terminal if `--verbose` is given.
    pub(crate) fn start(endpoint: &str, outside: &Outside, arguments: &Arguments) -> Result<Self, Box<dyn Error>> {
        let lines = log(&arguments.output, arguments.verbose)?;
        let function = Function::new(FunctionSettings {
            name: "demo-worker".into(),
            command: vec![
                std::env::current_exe()?.to_str().ok_or("the demo's path is not UTF-8")?.into(),
                "--worker".into(),
            ],
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            env: environment(endpoint, outside),
            timeout: Duration::from_secs(300),
            memory_mb: 512,
            output: Output::Lines(lines),
        })?;
        let starts_in_vain = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&starts_in_vain);
        let schedule = Schedule::start(function.clone(), SCHEDULE, move |invocation| {
            if report(invocation) {
                counter.store(0, Ordering::Relaxed);
            } else {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { function, schedule, starts_in_vain })
    }

    /// Whether the worker does not start.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.starts_in_vain.load(Ordering::Relaxed) >= PATIENCE
    }

    /// Ends the worker.
    pub(crate) async fn stop(self) {
        drop(self.schedule);
        self.function.stop().await;
    }
}

/// The ledger's bucket, which the template creates on AWS.
pub(crate) const LEDGER: &str = "ledger";

/// The environment of `template.yaml`, with the emulator instead of AWS.
fn environment(endpoint: &str, outside: &Outside) -> BTreeMap<String, String> {
    let variables = [
        ("ACTIONS", pipeline::worker_actions(&outside.jobs_url).to_string()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", "demo".into()),
        ("AWS_SECRET_ACCESS_KEY", "demo".into()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", outside.secrets_endpoint.clone()),
        ("CLIENT_TOKENS_SECRET", "demo/clients/".into()),
        ("LEDGER_BUCKET", LEDGER.into()),
        ("WEBHOOK_KEY", WEBHOOK_KEY.into()),
        ("FUNCTION_TIMEOUT", "300".into()),
        ("WORK_FOLDER", std::env::temp_dir().to_string_lossy().into_owned()),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether the invocation succeeded. Only a failed invocation is printed; the pipeline shows a successful one.
fn report(invocation: std::io::Result<Invocation>) -> bool {
    match invocation {
        Ok(Invocation::Answered(_)) => return true,
        Ok(Invocation::Failed { error_type, message }) => eprintln!("the worker failed: {error_type}: {message}"),
        Ok(Invocation::TimedOut) => eprintln!("the worker exceeded its deadline and was killed"),
        Ok(Invocation::Exited { status }) => eprintln!("the worker's process ended: {status}"),
        Err(error) => eprintln!("the worker could not be started: {error}"),
    }
    false
}

fn log(folder: &Path, verbose: bool) -> Result<mpsc::UnboundedSender<String>, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("worker.log");
    let mut file = std::fs::File::create(&path)?;
    println!("the worker's log is {}", path.display());
    let (sender, mut lines) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            if verbose {
                println!("{line}");
            }
            // A full disk does not end the demo.
            let _ = writeln!(file, "{line}");
        }
    });
    Ok(sender)
}
