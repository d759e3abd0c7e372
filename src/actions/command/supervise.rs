//! One command, from its start to the end of the last process that it started.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::harden::harden_process;
use super::process_tree::{ProcessTree, main_pid};
use super::tail::Tail;

/// How often dead orphans of a running command are reaped.
const REAPING: Duration = Duration::from_secs(1);
/// How often to look whether everything has ended after SIGTERM: of processes that aren't its children, nobody is told.
const LOOKING: Duration = Duration::from_millis(20);
/// A pipe holds at most this much (`/proc/sys/fs/pipe-max-size`, its default), so it is all that can be left in it.
const PIPE: usize = 1024 * 1024;

/// The right to run a command. There is one in the whole process: see [`ProcessTree`] for why.
pub(super) type Slot = MutexGuard<'static, ()>;

/// Waits until no other command runs.
pub(super) async fn slot() -> Slot {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Until when a command may run.
pub(super) struct Deadlines {
    /// When everything that the command started gets SIGTERM.
    pub(super) terminate_at: Instant,
    /// When what is left of it gets SIGKILL.
    pub(super) kill_at: Instant,
}

/// How a command ended.
pub(super) enum Ending {
    /// By itself, or by a signal that isn't ours.
    Exited(ExitStatus),
    /// Its time was over.
    TimedOut,
}

/// Where supervision itself failed.
pub(super) enum SuperviseError {
    /// This process could not be made safe to start a command from.
    Harden(io::Error),
    /// The program could not be executed.
    Spawn(io::Error),
    /// Something that this needs from the system did not work.
    System(io::Error),
}

/// A command under way. However this goes out of scope (the future is dropped when the job is cancelled), nothing of the
/// command is left, and only then may the next one begin: fields are dropped after `drop`.
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

/// Runs `command` and collects what it prints. When this returns, no process of it is left.
///
/// `command` says what to run and where; its input, output and process group are set here.
pub(super) async fn run(
    slot: Slot,
    mut command: Command,
    deadlines: &Deadlines,
    tail: &mut Tail,
) -> Result<Ending, SuperviseError> {
    let (reader, writer) = io::pipe().map_err(SuperviseError::System)?;
    let mut output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(SuperviseError::System)?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(SuperviseError::System)?)
        .stderr(writer)
        .process_group(0);

    let tree = ProcessTree::begin().map_err(SuperviseError::System)?;
    // Nothing is awaited in between: a part of it is the thread's.
    harden_process().map_err(SuperviseError::Harden)?;
    let child = command.spawn().map_err(SuperviseError::Spawn)?;
    // `command` holds the pipe's writing end, which would keep it open.
    drop(command);
    let mut running = Running { child, tree, _slot: slot };

    let ending = wait(&mut running, deadlines, &mut output, tail).await.map_err(SuperviseError::System)?;
    let left_behind = running.tree.kill_all(&mut running.child);
    if left_behind > 0 && matches!(ending, Ending::Exited(_)) {
        tracing::warn!(processes = left_behind, "the command ended but left processes behind; they were killed");
    }
    read_rest(&output, tail);
    Ok(ending)
}

async fn wait(
    running: &mut Running,
    deadlines: &Deadlines,
    output: &mut pipe::Receiver,
    tail: &mut Tail,
) -> io::Result<Ending> {
    let mut is_open = true;
    let mut reaping = interval(REAPING);
    reaping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            status = running.child.wait() => return Ok(Ending::Exited(status?)),
            () = read_all(output, tail), if is_open => is_open = false,
            _ = reaping.tick() => running.tree.reap_orphans(main_pid(&running.child))?,
            () = sleep_until(deadlines.terminate_at) => break,
        }
    }

    running.tree.terminate()?;
    let mut looking = interval(LOOKING);
    looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = read_all(output, tail), if is_open => is_open = false,
            _ = looking.tick() => {
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

/// Reads until nobody can write any more. Nothing read is lost when this is dropped in between.
async fn read_all(output: &mut pipe::Receiver, tail: &mut Tail) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        tail.push(&buffer[..read]);
    }
}

/// Reads what is in the pipe now. It doesn't wait for the pipe's end: a process that could not be killed may hold it open.
fn read_rest(output: &pipe::Receiver, tail: &mut Tail) {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    // The pipe's reading end doesn't block, so an empty one is an error here.
    while let Ok(read @ 1..) = rustix::io::read(output, &mut buffer) {
        tail.push(&buffer[..read]);
        total += read;
        if total >= PIPE {
            break;
        }
    }
}
