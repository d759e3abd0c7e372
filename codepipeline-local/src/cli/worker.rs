//! The commands of `--worker`, which `serve` and `run` keep running: programs that poll for jobs.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::shown::Show;
use super::words::{Words, words};
use crate::family::Family;
use crate::runtime_api::check_command;

/// How long a worker may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Args)]
#[command(next_help_heading = "AWS's own actions, and workers")]
pub(super) struct WorkerFlags {
    /// Command of a worker to run while the emulator runs, quoted as in a shell: any program that polls for jobs. Its environment is that of
    /// the emulator, with the emulator's endpoint, region and credentials. Repeatable
    #[arg(long = "worker", value_name = "COMMAND", value_parser = words)]
    pub(super) workers: Vec<Words>,
}

impl WorkerFlags {
    /// Checks the commands before the emulator starts.
    pub(super) fn check(&self) -> Result<(), String> {
        for worker in &self.workers {
            check_command(&worker.0, &BTreeMap::new()).map_err(|why| format!("--worker: {why}"))?;
        }
        Ok(())
    }
}

/// The running workers. Dropping them kills them and all that they started.
pub(super) struct Workers {
    running: JoinSet<Ended>,
    /// Workers that ended. Processes that they started may still run.
    ended: Vec<Family>,
    stop: watch::Sender<bool>,
}

struct Ended {
    name: String,
    status: std::io::Result<ExitStatus>,
    family: Family,
    /// Whether it had to be killed.
    is_late: bool,
}

impl Workers {
    /// Starts the commands with these variables. `show` gets the name of a worker's program and each line.
    pub(super) fn start(
        commands: &[Words],
        environment: &BTreeMap<String, String>,
        show: &Show,
    ) -> Result<Self, String> {
        let mut workers = Self { running: JoinSet::new(), ended: Vec::new(), stop: watch::Sender::new(false) };
        for Words(words) in commands {
            let Some(program) = words.first() else { continue };
            let mut command = command(words, environment);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let family = Family::spawn(&mut command);
            let family = family.map_err(|error| format!("--worker: could not start {program}: {error}"))?;
            let name = program.rsplit('/').next().unwrap_or(program).to_owned();
            workers.running.spawn(watched(name, family, Arc::clone(show), workers.stop.subscribe()));
        }
        Ok(workers)
    }

    /// Waits until a worker has ended, and describes it. Without workers, it waits for ever.
    pub(super) async fn ended(&mut self) -> String {
        match self.running.join_next().await {
            Some(Ok(Ended { name, status, family, .. })) => {
                self.ended.push(family);
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                format!("the worker {name} ended ({status})")
            }
            Some(Err(error)) => format!("a worker ended ({error})"),
            None => std::future::pending().await,
        }
    }

    /// Whether all workers have ended.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Ends the workers and all that they started with SIGTERM, and with SIGKILL what still runs 5 s later. Returns the names of the
    /// workers that were killed. Dropping the returned future kills all at once.
    pub(super) async fn stop(mut self) -> Vec<String> {
        self.stop.send_replace(true);
        let left = futures_util::future::join_all(self.ended.iter_mut().map(|family| family.stop(GRACE)));
        let ending = async {
            let mut late = Vec::new();
            while let Some(ended) = self.running.join_next().await {
                late.extend(ended.ok().filter(|ended| ended.is_late).map(|ended| ended.name));
            }
            late
        };
        tokio::join!(left, ending).1
    }
}

/// Says that a worker had to be killed.
pub(super) fn killed(name: &str) -> String {
    format!("the worker {name}, or what it started, did not end within {GRACE:?} of SIGTERM and was killed")
}

/// The command of a worker. Its environment is the user's with `environment`, and without the variables of AWS that the user has.
#[expect(clippy::disallowed_methods, reason = "a worker has the environment of the emulator's user")]
fn command(words: &[String], environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.get(1..).unwrap_or_default());
    // A profile or a session of the user would lead the worker to AWS.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.envs(environment).stdin(Stdio::null());
    command
}

/// Waits until the worker has ended and no process has its output open, or stops it.
async fn watched(name: String, mut family: Family, show: Show, mut stop: watch::Receiver<bool>) -> Ended {
    let pipes = family.pipes();
    let mut shown = JoinSet::new();
    shown.spawn(lines(pipes.0, name.clone(), Arc::clone(&show)));
    shown.spawn(lines(pipes.1, name.clone(), show));
    let ended = async {
        let status = family.exited().await;
        while shown.join_next().await.is_some() {}
        status
    };
    let stopped = tokio::select! {
        status = ended => Some(status),
        // A sender that is gone means the same.
        _ = stop.wait_for(|stop| *stop) => None,
    };
    if let Some(status) = stopped {
        return Ended { name, status, family, is_late: false };
    }
    let (status, is_late) = family.stop(GRACE).await;
    // A process of another user can't be killed, and may have the output open.
    let _ = tokio::time::timeout(GRACE, async { while shown.join_next().await.is_some() {} }).await;
    Ended { name, status, family, is_late }
}

/// Shows the lines from the pipe until its last writer has closed it.
async fn lines(pipe: Option<impl AsyncRead + Unpin>, name: String, show: Show) {
    let Some(pipe) = pipe else { return };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        let text = String::from_utf8_lossy(&line);
        show(&name, text.trim_end_matches(['\n', '\r']));
        line.clear();
    }
}
