//! Waits for processes and reaps them.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use tokio::process::Child;
use tokio::time::Instant;

/// Waits for the command's death, but leaves the reaping to `child`, which would otherwise wait for a stranger's number.
/// Whether it has ended.
pub(super) fn reap_main(child: &mut Child, main: Pid, until: Instant) -> bool {
    let has_ended = reap(main, WaitIdOptions::NOWAIT, until);
    let _ = child.try_wait();
    has_ended
}

/// Reaps the process when it has ended, and waits for that until `until` at most. Whether it has ended.
pub(super) fn reap(pid: Pid, options: WaitIdOptions, until: Instant) -> bool {
    wait_for_end(pid, until.saturating_duration_since(Instant::now()));
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | options) {
            Err(Errno::INTR) => {}
            Ok(ended) => return ended.is_some(),
            // It is not a child of this process any more.
            Err(_) => return true,
        }
    }
}

/// Blocks until the process has ended, for at most `longest`.
fn wait_for_end(pid: Pid, longest: Duration) {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => wait(&mut [PollFd::new(&process, PollFlags::IN)], longest),
        // It was reaped.
        Err(Errno::SRCH) => {}
        // The kernel has no such descriptors (Linux before 5.3, some sandboxes).
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

/// The kernel's own word for it, where a listing can only be a guess: all descendants hang on some child.
pub(super) fn has_no_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_that_does_not_end_is_not_waited_for() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let now = Instant::now();
        assert!(!reap(pid, WaitIdOptions::NOWAIT, now));
        assert!(!reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_millis(1)));
        child.kill().unwrap();
        assert!(reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_secs(600)));
        child.wait().unwrap();
        assert!(reap(pid, WaitIdOptions::NOWAIT, now + Duration::from_secs(600)), "it is not a child any more");
    }
}
