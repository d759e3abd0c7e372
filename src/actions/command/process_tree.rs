//! Finds, terminates, kills and reaps all processes of a command.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitIdOptions, kill_process_group};
use tokio::process::Child;
use tokio::time::Instant;

use super::processes::{self, Identity, Process};
use wait::{has_no_children, reap, reap_main};

mod wait;

/// The limit for [`ProcessTree::kill_all`], for a program that starts processes faster than they can be killed, and for processes that
/// take long to end.
const MAX_SWEEP: Duration = Duration::from_secs(5);

/// The limit for [`kill_descendants`], whose caller has a deadline.
const MAX_LAST_SWEEP: Duration = Duration::from_secs(1);

/// The descendants of this process, without those from before the command.
///
/// This process is a subreaper: a process whose parent dies becomes its child. So a command stays among the descendants even after
/// `setsid` or a double fork. But the kernel does not record which command started an orphan. So only one command runs at a time, and
/// the worker starts no other process at the same time.
pub(super) struct ProcessTree {
    before: BTreeSet<Identity>,
}

impl ProcessTree {
    /// Begins a tree without this process's present children and their descendants.
    pub(super) fn begin() -> io::Result<Self> {
        let listing = processes::list()?;
        let children = listing.iter().filter(|process| process.is_child_of_this_process());
        Ok(Self { before: children.map(|child| child.identity).collect() })
    }

    fn members(&self) -> io::Result<Vec<Process>> {
        Ok(processes::descendants(&processes::list()?, &self.before))
    }

    /// Whether no process is left, including zombies.
    pub(super) fn is_gone(&self) -> io::Result<bool> {
        Ok(has_no_children() || self.members()?.is_empty())
    }

    /// Sends SIGTERM to every process.
    pub(super) fn terminate(&self) -> io::Result<()> {
        for member in self.members()? {
            // The process may have ended, or may belong to another user now. `kill_all` handles it.
            let _ = member.signal(Signal::TERM);
        }
        Ok(())
    }

    /// Reaps dead orphans, so that they don't fill the process table. `main` is the command itself, which its [`Child`] reaps.
    pub(super) fn reap_orphans(&self, main: Option<Pid>) -> io::Result<()> {
        for member in self.members()? {
            if member.is_zombie && member.is_child_of_this_process() && Some(member.pid()) != main {
                reap(member.pid(), WaitIdOptions::empty(), Instant::now());
            }
        }
        Ok(())
    }

    /// Kills (SIGKILL) and reaps until no process is left. Returns how many living processes it found. Blocks until the kernel has
    /// ended them, for at most [`MAX_SWEEP`], so `Drop` can call it. Logs and skips two kinds of processes: those of other users, and
    /// those in an uninterruptible sleep, for example because a file system does not respond.
    pub(super) fn kill_all(&self, child: &mut Child) -> usize {
        let mut sweep = Sweep::default();
        let give_up = Instant::now() + MAX_SWEEP;
        // A listing may miss a process that starts at the same time, but hardly twice in a row.
        let mut empty_listings = 0;
        while empty_listings < 2 && !has_no_children() {
            if let Some(stuck) = sweep.stuck {
                tracing::error!(
                    pid = stuck.as_raw_nonzero(),
                    "a killed process of the command did not end in {MAX_SWEEP:?}; a file system may not respond; the worker continues"
                );
                break;
            }
            if Instant::now() > give_up {
                tracing::error!("the command starts processes faster than they can be killed");
                break;
            }
            match self.sweep_once(child, &mut sweep, give_up) {
                Ok(true) => empty_listings = 0,
                Ok(false) => empty_listings += 1,
                Err(error) => {
                    tracing::error!(error = %error, "could not read /proc; killed only the command's own process group");
                    if let Some(group) = main_pid(child) {
                        let _ = kill_process_group(group, Signal::KILL);
                        reap_main(child, group, give_up);
                    }
                    break;
                }
            }
        }
        if !sweep.left.is_empty() {
            tracing::error!(processes = sweep.left.len(), "could not kill processes of the command");
        }
        sweep.met.len()
    }

    /// Kills the present processes. Returns whether there were any.
    fn sweep_once(&self, child: &mut Child, sweep: &mut Sweep, until: Instant) -> io::Result<bool> {
        let listing = processes::list()?;
        let mut members = processes::descendants(&listing, &self.before);
        members.retain(|member| !sweep.left.contains(&member.identity));
        if members.is_empty() {
            return Ok(false);
        }
        // A group gets the signal in one step, so none of its processes can escape by forking.
        for group in processes::groups_of_only(&members, &listing).into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let mut waited = false;
        for member in &members {
            if !member.is_zombie {
                sweep.met.insert(member.identity);
                if member.signal(Signal::KILL) == Err(Errno::PERM) {
                    sweep.left.insert(member.identity);
                    continue;
                }
            }
            // The others become children of this process when their parents are reaped.
            if member.is_child_of_this_process() {
                waited = true;
                let has_ended = match main_pid(child) {
                    Some(main) if main == member.pid() => reap_main(child, main, until),
                    _ => reap(member.pid(), WaitIdOptions::empty(), until),
                };
                if !has_ended {
                    sweep.stuck = Some(member.pid());
                    return Ok(true);
                }
            }
        }
        if !waited {
            // The remaining processes descend from processes that can't be killed. Only those can reap them.
            sweep.left.extend(members.iter().map(|member| member.identity));
        }
        Ok(true)
    }
}

/// Kills (SIGKILL) all descendants of this process. Call it immediately before this process exits. After that, no process ends them, and
/// on Lambda they may run next to later jobs.
///
/// It needs no async runtime, and gives up after a second.
pub fn kill_descendants() {
    let none = BTreeSet::new();
    let give_up = Instant::now() + MAX_LAST_SWEEP;
    // Zombies stay listed until they are reaped.
    while let Ok(listing) = processes::list()
        && Instant::now() < give_up
    {
        let mut living = processes::descendants(&listing, &none);
        living.retain(|process| !process.is_zombie);
        if living.is_empty() {
            return;
        }
        for group in processes::groups_of_only(&living, &listing).into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        for process in living {
            let _ = process.signal(Signal::KILL);
        }
    }
}

#[derive(Default)]
struct Sweep {
    met: BTreeSet<Identity>,
    left: BTreeSet<Identity>,
    /// A killed process that has not ended.
    stuck: Option<Pid>,
}

/// The command's own process, until it is reaped.
pub(super) fn main_pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}
