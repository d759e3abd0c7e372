//! Everything that a command started: found, told to end, killed, reaped.

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

/// For how long [`ProcessTree::kill_all`] tries to win against a program that starts processes faster than they can be killed, and
/// waits for those that it has killed.
const LONGEST_SWEEP: Duration = Duration::from_secs(5);

/// The same for [`kill_descendants`], which somebody waits for at a deadline.
const LONGEST_LAST_SWEEP: Duration = Duration::from_secs(1);

/// The processes that descend from this one, but for those that were there before.
///
/// This process is a subreaper, so a process whose parent dies becomes its child: whatever a command does to get away
/// (`setsid`, a double fork), it stays among the descendants. Nothing in the kernel tells, however, by which command an
/// orphan was started. That is why only one command runs at a time, and why nothing else here may start processes meanwhile.
pub(super) struct ProcessTree {
    before: BTreeSet<Identity>,
}

impl ProcessTree {
    /// A family that begins now: this process's present children (and theirs) are not in it.
    pub(super) fn begin() -> io::Result<Self> {
        let listing = processes::list()?;
        let children = listing.iter().filter(|process| process.is_child_of_this_process());
        Ok(Self { before: children.map(|child| child.identity).collect() })
    }

    fn members(&self) -> io::Result<Vec<Process>> {
        Ok(processes::descendants(&processes::list()?, &self.before))
    }

    /// Whether nothing of it is left, dead but unreaped processes included.
    pub(super) fn is_gone(&self) -> io::Result<bool> {
        Ok(has_no_children() || self.members()?.is_empty())
    }

    /// Asks every process to end (SIGTERM).
    pub(super) fn terminate(&self) -> io::Result<()> {
        for member in self.members()? {
            // A process that has ended meanwhile, or that has become another user's, is left to `kill_all`.
            let _ = member.signal(Signal::TERM);
        }
        Ok(())
    }

    /// Reaps dead orphans, so that a command that leaves many behind doesn't fill the process table. `main` is the
    /// command itself, which its [`Child`] reaps.
    pub(super) fn reap_orphans(&self, main: Option<Pid>) -> io::Result<()> {
        for member in self.members()? {
            if member.is_zombie && member.is_child_of_this_process() && Some(member.pid()) != main {
                reap(member.pid(), WaitIdOptions::empty(), Instant::now());
            }
        }
        Ok(())
    }

    /// Kills (SIGKILL) and reaps until nothing is left; returns how many living processes it met. It blocks for as long as
    /// the kernel needs to end them, so that it can be called from `Drop`, and for at most [`LONGEST_SWEEP`]. A process in an
    /// uninterruptible sleep, such as on a file system that does not answer, ends only after its sleep: it is logged and left.
    /// So are other users' processes, which can't be killed.
    pub(super) fn kill_all(&self, child: &mut Child) -> usize {
        let mut sweep = Sweep::default();
        let give_up = Instant::now() + LONGEST_SWEEP;
        // A listing may miss a process that is being born while it is made; hardly twice in a row.
        let mut empty_listings = 0;
        while empty_listings < 2 && !has_no_children() {
            if let Some(stuck) = sweep.stuck {
                tracing::error!(
                    pid = stuck.as_raw_nonzero(),
                    "a killed process of the command has not ended in {LONGEST_SWEEP:?}; it may wait for a file system that does not \
                     answer; the worker continues without it"
                );
                break;
            }
            if Instant::now() > give_up {
                tracing::error!("a command's processes multiply faster than they can be killed");
                break;
            }
            match self.sweep_once(child, &mut sweep, give_up) {
                Ok(true) => empty_listings = 0,
                Ok(false) => empty_listings += 1,
                Err(error) => {
                    tracing::error!(error = %error, "/proc can't be read; only the command's own process group is killed");
                    if let Some(group) = main_pid(child) {
                        let _ = kill_process_group(group, Signal::KILL);
                        reap_main(child, group, give_up);
                    }
                    break;
                }
            }
        }
        if !sweep.left.is_empty() {
            tracing::error!(processes = sweep.left.len(), "processes of a command could not be killed");
        }
        sweep.met.len()
    }

    /// Kills what can be seen now; `false` if there is nothing.
    fn sweep_once(&self, child: &mut Child, sweep: &mut Sweep, until: Instant) -> io::Result<bool> {
        let listing = processes::list()?;
        let mut members = processes::descendants(&listing, &self.before);
        members.retain(|member| !sweep.left.contains(&member.identity));
        if members.is_empty() {
            return Ok(false);
        }
        // A group is signalled in one step, so no member of it can fork its way out in between.
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
            // The others become children of this process once their parents are reaped.
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
            // All that is left descends from processes that can't be killed, which are also the ones to reap it.
            sweep.left.extend(members.iter().map(|member| member.identity));
        }
        Ok(true)
    }
}

/// Kills (SIGKILL) whatever this process and the commands that it runs have started. For who is about to end this process at
/// once: nothing that is left then has anybody to end it, and Lambda may give its remains the next jobs for neighbours.
///
/// It needs no async runtime, and gives up after a second.
pub fn kill_descendants() {
    let nobody = BTreeSet::new();
    let give_up = Instant::now() + LONGEST_LAST_SWEEP;
    // The dead stay listed for as long as nobody reaps them.
    while let Ok(listing) = processes::list()
        && Instant::now() < give_up
    {
        let mut living = processes::descendants(&listing, &nobody);
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
    /// A process that was killed and has not ended.
    stuck: Option<Pid>,
}

/// The command itself, as long as it isn't reaped.
pub(super) fn main_pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}
