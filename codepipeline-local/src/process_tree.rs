//! Kills a process with everything that it started.

use std::collections::HashSet;
use std::fs;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How often to look for more marked processes. Each look kills all that it finds, so that only a process that keeps starting others is
/// found again.
const LOOKS: usize = 16;

/// Kills a process that leads its group, all its descendants, also in other groups and sessions, and the rest of the group.
///
/// Call it before the process is waited for. Afterwards another process may have its id.
pub(crate) fn kill_tree(leader: Pid) {
    for pid in stopped_tree(leader) {
        let _ = kill_process(pid, Signal::KILL);
    }
    // This fails only if no process is left.
    let _ = kill_process_group(leader, Signal::KILL);
}

/// Kills the process that leads this group, and everything that it started. If the process has been waited for, another one may have its
/// id, so only the rest of its group is killed.
pub(crate) fn kill_group(leader: Pid, was_waited_for: bool) {
    if was_waited_for {
        // This fails only if no process is left.
        let _ = kill_process_group(leader, Signal::KILL);
    } else {
        kill_tree(leader);
    }
}

/// Kills all processes of this user that were started with `NAME=VALUE` in their environment. It finds daemons too, whose parents have
/// ended. It needs `/proc`.
pub(crate) fn kill_marked(name: &str, value: &str) {
    let mark = format!("{name}={value}").into_bytes();
    for _ in 0..LOOKS {
        let marked: Vec<Pid> = pids().filter(|pid| is_marked(*pid, &mark)).collect();
        if marked.is_empty() {
            return;
        }
        for pid in marked {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Whether the variable is in the process's environment. A zombie's environment is empty.
fn is_marked(pid: Pid, mark: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark)
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
