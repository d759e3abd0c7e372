//! This machine's processes, as /proc lists them.

use std::collections::{BTreeSet, HashSet};
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal};

/// Identifies a process. The system may reuse the number alone for another process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pid: i32,
    /// In clock ticks since boot.
    started: u64,
}

/// One line of `/proc/<pid>/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy)]
pub(super) struct Process {
    pub(super) identity: Identity,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// Dead, but not yet reaped by its parent.
    pub(super) is_zombie: bool,
}

impl Process {
    /// The process's number.
    pub(super) fn pid(&self) -> Pid {
        Pid::from_raw(self.identity.pid).expect("/proc lists positive numbers only, which `parse` checks")
    }

    pub(super) fn is_child_of_this_process(&self) -> bool {
        self.parent == getpid().as_raw_pid()
    }

    /// Sends `signal` to this process, and never to a later process with the same number.
    pub(super) fn signal(&self, signal: Signal) -> rustix::io::Result<()> {
        let handle = match pidfd_open(self.pid(), PidfdFlags::empty()) {
            // Kernels before 5.3 and some sandboxes don't support it.
            Err(Errno::NOSYS) => return kill_process(self.pid(), signal),
            result => result?,
        };
        // The handle belongs to the process that has the number now. Check that it is still the same process.
        match read_stat(self.identity.pid) {
            Ok(Some(process)) if process.identity == self.identity => pidfd_send_signal(handle, signal),
            _ => Err(Errno::SRCH),
        }
    }
}

/// Lists all processes. Processes start and end while /proc is read. If a parent died and its child moved to another one, the parent is
/// missing in the listing, so this lists again.
pub(super) fn list() -> io::Result<Vec<Process>> {
    let mut listing = list_once()?;
    // If /proc hides other users' processes, a parent may always be missing.
    for _ in 0..10 {
        let known: HashSet<i32> = listing.iter().map(|process| process.identity.pid).collect();
        // Parent 0 is outside this container.
        if listing.iter().all(|process| process.parent == 0 || known.contains(&process.parent)) {
            break;
        }
        listing = list_once()?;
    }
    Ok(listing)
}

fn list_once() -> io::Result<Vec<Process>> {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        processes.extend(read_stat(pid)?);
    }
    Ok(processes)
}

/// Reads one process. Returns `None` if it does not exist any more.
fn read_stat(pid: i32) -> io::Result<Option<Process>> {
    match std::fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => Ok(parse(&stat)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // The process died between opening and reading.
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(stat: &[u8]) -> Option<Process> {
    // The program's name is second, in parentheses. It may contain spaces and parentheses itself.
    let name_starts = stat.iter().position(|&byte| byte == b'(')?;
    let name_ends = stat.iter().rposition(|&byte| byte == b')')?;
    let pid: i32 = std::str::from_utf8(&stat[..name_starts]).ok()?.trim().parse().ok()?;
    let rest = std::str::from_utf8(&stat[name_ends + 1..]).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 22 in the manual, which also counts the number and the name.
    let started = fields.get(19)?.parse().ok()?;
    let process = Process {
        identity: Identity { pid, started },
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
    };
    (pid > 0).then_some(process)
}

/// This process's descendants in `listing`, without the children in `except` and their descendants. Parents come first.
pub(super) fn descendants(listing: &[Process], except: &BTreeSet<Identity>) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let children_of = |parent: i32| listing.iter().filter(move |process| process.parent == parent);
    found.extend(children_of(getpid().as_raw_pid()).filter(|child| !except.contains(&child.identity)));
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.identity.pid) {
        found.extend(children_of(parent));
        next += 1;
    }
    found
}

/// The process groups in `listing` whose processes are all in `members`.
pub(super) fn groups_of_only(members: &[Process], listing: &[Process]) -> BTreeSet<i32> {
    let inside: BTreeSet<Identity> = members.iter().map(|member| member.identity).collect();
    let others: BTreeSet<i32> =
        listing.iter().filter(|process| !inside.contains(&process.identity)).map(|process| process.group).collect();
    members.iter().map(|member| member.group).filter(|group| *group > 1 && !others.contains(group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_with_any_program_name() {
        let rest = "S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0";
        for name in ["sh", "a) Z 1 1 (b", ""] {
            let process = parse(format!("42 ({name}) {rest}").as_bytes()).unwrap();
            assert!(process.identity == Identity { pid: 42, started: 123_456 });
            assert_eq!((process.parent, process.group, process.is_zombie), (7, 42, false));
        }
        assert!(parse(format!("42 (\u{fffd}) {rest}").replace('S', "Z").as_bytes()).unwrap().is_zombie);
        assert!(parse(b"").is_none());
        assert!(parse(b"42 (sh) S 7").is_none());
    }

    #[test]
    fn this_process_is_listed_with_its_parent() {
        let listing = list().unwrap();
        let own = listing.iter().find(|process| process.pid() == getpid()).unwrap();
        assert_eq!(own.parent, rustix::process::getppid().map_or(0, Pid::as_raw_pid));
    }

    fn process(pid: i32, parent: i32, group: i32) -> Process {
        Process { identity: Identity { pid, started: 1 }, parent, group, is_zombie: false }
    }

    #[test]
    fn excluded_children_and_theirs_are_not_descendants() {
        let own = getpid().as_raw_pid();
        let listing = [process(91, own, 91), process(92, 91, 91), process(93, own, 93), process(94, 93, 93)];
        let except = BTreeSet::from([listing[0].identity]);
        let found: Vec<i32> = descendants(&listing, &except).iter().map(|process| process.identity.pid).collect();
        assert_eq!(found, [93, 94]);
    }

    #[test]
    fn a_group_with_other_processes_is_not_returned() {
        let listing = [process(91, 1, 91), process(92, 1, 91), process(93, 1, 93), process(94, 1, 93)];
        assert_eq!(groups_of_only(&listing[1..], &listing), BTreeSet::from([93]));
    }
}
