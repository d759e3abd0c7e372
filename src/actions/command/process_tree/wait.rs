//! Waits for processes and reaps them.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use tokio::process::Child;
use tokio::time::Instant;

/// Waits until the command has ended. Leaves the reaping to `child`, which would otherwise wait for a reused number. Returns whether
/// it has ended.
pub(super) fn reap_main(child: &mut Child, main: Pid, until: Instant) -> bool {
    let has_ended = reap(main, WaitIdOptions::NOWAIT, until);
    let _ = child.try_wait();
    has_ended
}

/// Waits until the process has ended, at most until `until`, and reaps it. Returns whether it has ended.
pub(super) fn reap(pid: Pid, options: WaitIdOptions, until: Instant) -> bool {
    wait_for_end(pid, until.saturating_duration_since(Instant::now()));
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | options) {
            Err(Errno::INTR) => {}
            Ok(ended) => return ended.is_some(),
            // It is no longer a child of this process.
            Err(_) => return true,
        }
    }
}

/// Blocks until the process has ended, for at most `longest`.
fn wait_for_end(pid: Pid, longest: Duration) {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => wait(&mut [PollFd::new(&process, PollFlags::IN)], longest),
        // It was already reaped.
        Err(Errno::SRCH) => {}
        // The kernel does not support process descriptors (Linux before 5.3, some sandboxes).
        Err(_) => {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let mut left = longest.as_millis();
            while left > 0 && matches!(waitid(WaitId::Pid(pid), options), Ok(None)) {
                wait(&mut [], Duration::from_millis(1));
                left -= 1;
            }
        }
    }
}

fn wait(descriptors: &mut [PollFd<'_>], longest: Duration) {
    if let Ok(longest) = Timespec::try_from(longest) {
        while poll(descriptors, Some(&longest)) == Err(Errno::INTR) {}
    }
}

/// Whether this process has no children, and so no descendants. The kernel's answer is exact, unlike a listing.
pub(super) fn has_no_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn waiting_for_a_process_ends_at_the_limit() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let now = Instant::now();
        assert!(!reap(pid, WaitIdOptions::NOWAIT, now));
        assert!(!reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_millis(1)));
        child.kill().unwrap();
        assert!(reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_secs(600)));
        child.wait().unwrap();
        assert!(reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_secs(600)), "it is no longer a child");
    }
}
