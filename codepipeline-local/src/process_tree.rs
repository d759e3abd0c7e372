//! Finds and kills a process with everything that it started.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

/// How often to look for more marked processes. Each look kills all that it finds, so that only a process that keeps starting others is
/// found again.
const LOOKS: usize = 16;

/// How often to read an empty environment again, and how long to wait before.
const TRIES: usize = 10;
const TRY_AGAIN: Duration = Duration::from_millis(1);

/// Kills a process that leads its group, all its descendants, also in other groups and sessions, and the rest of the group.
///
/// Call it before the process is waited for. Afterwards another process may have its id.
pub(crate) fn kill_tree(leader: Pid) {
    signal(stopped_tree(leader), Signal::KILL);
    // This fails only if no process is left.
    let _ = kill_process_group(leader, Signal::KILL);
}

/// A variable with a value that only the processes of one family have. It needs `/proc`.
pub(crate) struct Mark(Vec<u8>);

impl Mark {
    pub(crate) fn new(variable: &str, value: &str) -> Self {
        Self(format!("{variable}={value}").into_bytes())
    }

    /// Kills all processes of this user that were started with this variable. It finds daemons too, whose parents have ended.
    pub(crate) fn kill(&self) {
        for _ in 0..LOOKS {
            let marked: Vec<Pid> = self.processes().collect();
            if marked.is_empty() {
                return;
            }
            signal(marked, Signal::KILL);
        }
    }

    /// Kills the group if a process with this mark is in it. Without one, the group may be of strangers: an id is free again after its
    /// last process.
    pub(crate) fn kill_group(&self, group: Pid) {
        if self.processes().any(|pid| getpgid(Some(pid)).ok() == Some(group)) {
            // This fails only if no process is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Whether a process has this mark.
    pub(crate) fn is_on_any(&self) -> bool {
        self.processes().next().is_some()
    }

    /// The processes with this mark that are not in the group.
    pub(crate) fn outside(&self, group: Option<Pid>) -> Vec<Pid> {
        self.processes().filter(|pid| group.is_none() || getpgid(Some(*pid)).ok() != group).collect()
    }

    fn processes(&self) -> impl Iterator<Item = Pid> {
        pids().filter(|pid| self.is_on(*pid))
    }

    /// Whether the variable is in the environment that the process was started with. A zombie's environment is empty.
    fn is_on(&self, pid: Pid) -> bool {
        environment(pid).split(|byte| *byte == 0).any(|variable| variable == self.0)
    }
}

/// The environment that the process was started with.
#[expect(clippy::disallowed_methods, reason = "the kernel tells nothing when the other program has started")]
fn environment(pid: Pid) -> Vec<u8> {
    let folder = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let read = || fs::read(folder.join("environ")).unwrap_or_default();
    let mut found = read();
    for _ in 0..TRIES {
        // A process has no environment for a moment while it starts another program. Zombies and threads of the kernel have no program.
        if !found.is_empty() || fs::read_link(folder.join("exe")).is_err() {
            break;
        }
        std::thread::sleep(TRY_AGAIN);
        found = read();
    }
    found
}

/// Sends a signal to the processes. Those that have ended are ignored.
pub(crate) fn signal(processes: impl IntoIterator<Item = Pid>, signal: Signal) {
    for pid in processes {
        let _ = kill_process(pid, signal);
    }
}

/// Stops a process and all its descendants, and returns them. A stopped process starts no others and keeps its parent, so that no process
/// escapes before it is killed.
fn stopped_tree(leader: Pid) -> HashSet<Pid> {
    let mut stopped = HashSet::new();
    let mut found = vec![leader];
    while !found.is_empty() {
        for pid in found {
            let _ = kill_process(pid, Signal::STOP);
            stopped.insert(pid);
        }
        found = pids()
            .filter_map(|pid| Some((pid, parent(pid)?)))
            .filter(|(pid, parent)| stopped.contains(parent) && !stopped.contains(pid))
            .map(|(pid, _)| pid)
            .collect();
    }
    stopped
}

/// The ids of all processes.
fn pids() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

fn parent(pid: Pid) -> Option<Pid> {
    // The name before it, in parentheses, may have any characters (proc_pid_stat(5)).
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Pid::from_raw(rest.split(' ').nth(1)?.parse().ok()?)
}
