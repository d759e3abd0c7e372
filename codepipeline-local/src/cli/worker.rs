//! The flag of workers that `serve` runs: programs that poll for jobs.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::environment::environment;
use super::words::{Words, words};
use crate::process_tree::kill_tree;
use crate::runtime_api::check_command;
use crate::server::Emulator;

/// How long a worker may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Args)]
#[command(next_help_heading = "AWS's own actions, and workers")]
pub(super) struct WorkerFlags {
    /// Command of a worker to run while the emulator runs, quoted as in a shell: any program that polls for jobs. Its environment is that of
    /// the emulator, with the emulator's endpoint, region and credentials. Repeatable
    #[arg(long = "worker", value_name = "COMMAND", value_parser = words)]
    workers: Vec<Words>,
}

/// Workers that run until they are stopped.
pub(super) struct Workers(Vec<Worker>);

struct Worker {
    stop: oneshot::Sender<()>,
    /// Ends with the process.
    watch: JoinHandle<()>,
}

impl WorkerFlags {
    /// Checks the commands before the emulator starts.
    pub(super) fn check(&self) -> Result<(), String> {
        for worker in &self.workers {
            check_command(&worker.0, &BTreeMap::new()).map_err(|why| format!("--worker: {why}"))?;
        }
        Ok(())
    }

    /// Starts the workers. They find the emulator in their environment.
    pub(super) fn start(&self, emulator: &Emulator, region: &str) -> Result<Workers, String> {
        let mut workers = Workers(Vec::new());
        for Words(words) in &self.workers {
            let name = words.first().cloned().unwrap_or_default();
            let child = command(words, &environment(&emulator.endpoint(), region, BTreeMap::new())).spawn();
            let child = child.map_err(|error| format!("--worker: could not start {name}: {error}"))?;
            let (stop, stopped) = oneshot::channel();
            workers.0.push(Worker { stop, watch: tokio::spawn(watch(name, child, stopped)) });
        }
        Ok(workers)
    }
}

impl Workers {
    /// Ends the workers with SIGTERM, and with SIGKILL what still runs 5 s later. Waits until they are gone.
    pub(super) async fn stop(self) {
        let watches: Vec<_> = self
            .0
            .into_iter()
            .map(|Worker { stop, watch }| {
                // This fails only if the worker has ended.
                let _ = stop.send(());
                watch
            })
            .collect();
        for watch in watches {
            let _ = watch.await;
        }
    }
}

/// The command of a worker, in a process group of its own. Its environment is the user's with `environment`, and without the variables of
/// AWS that the user has.
#[expect(clippy::disallowed_methods, reason = "a worker has the environment of the emulator's user")]
pub(super) fn command(words: &[String], environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.get(1..).unwrap_or_default());
    // A profile or a session of the user would lead the worker to AWS.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.envs(environment);
    command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    command
}

/// Waits for the end of the process, or ends it.
async fn watch(name: String, mut child: Child, mut stop: oneshot::Receiver<()>) {
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    tokio::select! {
        status = child.wait() => {
            let status = status.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
            tracing::error!("the worker {name} ended ({status}), so nothing polls for its jobs; its output says why");
            return;
        }
        // A sender that is gone means the same.
        _ = &mut stop => {}
    }
    let Some(group) = group else { return };
    let _ = kill_process_group(group, Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        tracing::warn!("the worker {name} did not end within {GRACE:?} of SIGTERM and was killed");
        kill_tree(group);
        let _ = child.wait().await;
    }
}
