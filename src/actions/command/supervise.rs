//! Runs one command, from its start to the end of its last process.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::harden::harden_process;
use super::output::Output;
use super::pipes::Pipes;
use super::process_tree::{ProcessTree, main_pid};

/// How often the worker reaps dead orphans of a running command.
const REAP_INTERVAL: Duration = Duration::from_secs(1);
/// How often the worker checks after SIGTERM whether all processes have ended. The system does not notify it of processes that are
/// not its children.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The right to run a command. The process has only one, for the reason that [`ProcessTree`] gives.
pub(super) type Slot = MutexGuard<'static, ()>;

/// Waits until no other command runs.
pub(super) async fn slot() -> Slot {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// The ends of a command's time.
pub(super) struct Deadlines {
    /// When all processes of the command get SIGTERM.
    pub(super) terminate_at: Instant,
    /// When its remaining processes get SIGKILL.
    pub(super) kill_at: Instant,
}

/// How a command ended.
pub(super) enum Ending {
    /// It exited, or a signal killed it that the worker did not send.
    Exited(ExitStatus),
    /// It was still running at its deadline.
    TimedOut,
}

/// The worker could not run or supervise a command.
pub(super) enum SuperviseError {
    /// The worker could not protect itself from the command.
    Harden(io::Error),
    /// The system could not execute the program.
    Spawn(io::Error),
    /// Another system call failed.
    System(io::Error),
}

/// A running command. Dropping it kills all of its processes, also when the job is cancelled and its future is dropped. Only then may
/// the next command begin: fields are dropped after `drop`.
struct Running {
    child: Child,
    tree: ProcessTree,
    _slot: Slot,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tree.kill_all(&mut self.child);
    }
}

/// Runs `command` and collects its output. When this returns, none of its processes is left.
///
/// The caller sets the program and the folder. This sets the input, the output and the process group.
pub(super) async fn run(
    slot: Slot,
    mut command: Command,
    deadlines: &Deadlines,
    output: &mut Output,
) -> Result<Ending, SuperviseError> {
    let mut pipes = Pipes::of(&mut command).map_err(SuperviseError::System)?;
    command.stdin(Stdio::null()).process_group(0);

    let tree = ProcessTree::begin().map_err(SuperviseError::System)?;
    // No await until the command has started, because one of the settings belongs to this thread.
    harden_process().map_err(SuperviseError::Harden)?;
    let child = command.spawn().map_err(SuperviseError::Spawn)?;
    // `command` holds the pipes' writing ends, and would keep them open.
    drop(command);
    let mut running = Running { child, tree, _slot: slot };

    let ending = wait(&mut running, deadlines, &mut pipes, output).await.map_err(SuperviseError::System)?;
    let left_behind = running.tree.kill_all(&mut running.child);
    if left_behind > 0 && matches!(ending, Ending::Exited(_)) {
        tracing::warn!(processes = left_behind, "killed processes that the command left behind");
    }
    pipes.read_rest(output);
    Ok(ending)
}

async fn wait(
    running: &mut Running,
    deadlines: &Deadlines,
    pipes: &mut Pipes,
    output: &mut Output,
) -> io::Result<Ending> {
    let mut reap = interval(REAP_INTERVAL);
    reap.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            status = running.child.wait() => return Ok(Ending::Exited(status?)),
            () = pipes.read_all(output), if pipes.are_open() => {}
            _ = reap.tick() => running.tree.reap_orphans(main_pid(&running.child))?,
            () = sleep_until(deadlines.terminate_at) => break,
        }
    }

    running.tree.terminate()?;
    let mut check = interval(CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = pipes.read_all(output), if pipes.are_open() => {}
            _ = check.tick() => {
                running.child.try_wait()?;
                running.tree.reap_orphans(main_pid(&running.child))?;
                if running.tree.is_gone()? {
                    break;
                }
            }
            () = sleep_until(deadlines.kill_at) => break,
        }
    }
    Ok(Ending::TimedOut)
}
