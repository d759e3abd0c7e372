//! The commands of `--worker`, as processes.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;

use super::screen::Screen;
use crate::cli::words::Words;
use crate::cli::worker::command;
use crate::process_tree::kill_tree;

/// How long after SIGTERM a worker gets SIGKILL.
const GRACE: Duration = Duration::from_secs(3);

/// The running workers. Dropping them kills them.
#[derive(Default)]
pub(super) struct Workers {
    running: JoinSet<(String, std::io::Result<ExitStatus>)>,
    groups: Vec<Group>,
}

/// A process group. It is killed when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0.take() {
            kill_tree(leader);
        }
    }
}

impl Workers {
    /// Starts the commands, each in a process group of its own. Their output appears with their program's name.
    pub(super) fn start(
        commands: &[Words],
        environment: &BTreeMap<String, String>,
        screen: &Screen,
    ) -> Result<Self, String> {
        let mut workers = Self::default();
        for Words(words) in commands {
            let Some(program) = words.first() else { continue };
            let child = command(words, environment).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let child = child.map_err(|error| format!("could not start the worker {program}: {error}"))?;
            workers.watch(program, child, screen);
        }
        Ok(workers)
    }

    fn watch(&mut self, program: &str, mut child: Child, screen: &Screen) {
        let name = program.rsplit('/').next().unwrap_or(program).to_owned();
        let pipes = (child.stdout.take(), child.stderr.take());
        // The process leads its group, so the group has its id.
        self.groups.push(Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))));
        let (first, second) =
            (show(pipes.0, name.clone(), screen.clone()), show(pipes.1, name.clone(), screen.clone()));
        self.running.spawn(async move {
            let (status, (), ()) = tokio::join!(child.wait(), first, second);
            (name, status)
        });
    }

    /// Waits until a worker has ended, and describes it. Without workers, it waits for ever.
    pub(super) async fn ended(&mut self) -> String {
        match self.running.join_next().await {
            Some(Ok((name, Ok(status)))) => format!("the worker {name} ended ({status})"),
            Some(Ok((name, Err(error)))) => format!("the worker {name} ended ({error})"),
            Some(Err(error)) => format!("a worker ended ({error})"),
            None => std::future::pending().await,
        }
    }

    /// Whether all workers have ended.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Sends SIGTERM to the workers, and after 3 s kills all that they started. A process that has left their groups may keep a pipe
    /// open, so this waits for their output for at most 3 s more.
    pub(super) async fn stop(mut self) {
        for leader in self.groups.iter().filter_map(|group| group.0) {
            // This fails only if no process is left.
            let _ = kill_process_group(leader, Signal::TERM);
        }
        let all = async { while self.running.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, all).await;
        self.groups.clear();
        let all = async { while self.running.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, all).await;
        self.running.shutdown().await;
    }
}

/// Shows the lines from the pipe until its last writer has closed it.
async fn show(pipe: Option<impl AsyncRead + Unpin>, name: String, screen: Screen) {
    let Some(pipe) = pipe else { return };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        let text = String::from_utf8_lossy(&line);
        screen.output(&name, text.trim_end_matches(['\n', '\r']));
        line.clear();
    }
}
