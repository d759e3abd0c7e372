//! A process and everything that it starts, also in other process groups and sessions.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::ids::random_uuid;
use crate::process_tree::{self, Mark};

/// A variable with a value of its own in each family, by which processes are found that left the process group.
const VARIABLE: &str = "CODEPIPELINE_LOCAL_FAMILY";

/// How long to wait before the next look whether a family has ended. The end of a process that is no child sends no signal.
const LOOK: Duration = Duration::from_millis(20);

/// A process that leads its own group, and everything that it starts. Dropping it kills them.
///
/// A process that left the group is found in `/proc`: by its parents, or by a variable in the environment that it was started with.
pub(crate) struct Family {
    child: Child,
    /// `None` after the kill.
    group: Option<Pid>,
    mark: Mark,
}

impl Family {
    /// Starts the command in a process group of its own.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let value = random_uuid();
        let child = command.env(VARIABLE, &value).process_group(0).kill_on_drop(true).spawn()?;
        // The process leads its group, so the group has its id.
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group, mark: Mark::new(VARIABLE, &value) })
    }

    /// The process's output, if the command pipes it and this is the first call.
    pub(crate) fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the end of the process.
    pub(crate) async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Whether all were killed.
    pub(crate) fn is_killed(&self) -> bool {
        self.group.is_none()
    }

    /// Sends SIGTERM to all.
    pub(crate) fn terminate(&self) {
        // Another process may have the id of one that has been waited for.
        let group = self.group.filter(|_| self.child.id().is_some());
        let others = self.mark.outside(group);
        if let Some(group) = group {
            // This fails only if no process is left.
            let _ = kill_process_group(group, Signal::TERM);
        }
        process_tree::signal(others, Signal::TERM);
    }

    /// Sends SIGTERM to all, waits for at most `grace` until they have ended, and kills the rest. Returns the end of the process, and
    /// whether anything was left to kill.
    pub(crate) async fn stop(&mut self, grace: Duration) -> (io::Result<ExitStatus>, bool) {
        self.terminate();
        let is_late = tokio::time::timeout(grace, self.gone()).await.is_err();
        (self.end().await, is_late)
    }

    /// Kills all, and waits for the end of the process.
    pub(crate) async fn end(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.exited().await
    }

    /// Kills all.
    pub(crate) fn kill(&mut self) {
        let Some(group) = self.group.take() else { return };
        if self.child.id().is_some() {
            process_tree::kill_tree(group);
        } else {
            // The process has been waited for, so another one may have its id.
            self.mark.kill_group(group);
        }
        self.mark.kill();
    }

    async fn gone(&mut self) {
        // An error means that the process can't be waited for.
        let _ = self.exited().await;
        while self.mark.is_on_any() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Stdio;

    use super::*;

    /// A shell that starts one process in another session, whose id is returned.
    async fn shell(folder: &Path, own: &str, child: &str) -> (Family, String) {
        // The last process tells that all have started: one that starts after the signal would not get it.
        let last = r#"sh -c "echo \$PPID > new; mv new pid; exec sleep 600" & wait"#;
        let script = format!("{own}; setsid sh -c '{child}; {last}' > out 2>&1 & wait");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder).stdin(Stdio::null());
        let family = Family::spawn(&mut command).unwrap();
        let file = folder.join("pid");
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (family, std::fs::read_to_string(file).unwrap().trim().to_owned())
    }

    fn is_running(pid: &str) -> bool {
        // A zombie does not run.
        std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    async fn ends(pid: &str) {
        while is_running(pid) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn child_in_another_session_gets_sigterm() {
        let folder = tempfile::tempdir().unwrap();
        let (mut family, pid) = shell(folder.path(), ":", "trap \"touch ended\" TERM").await;
        let (status, is_late) = family.stop(Duration::from_secs(600)).await;
        assert_eq!(status.unwrap().to_string(), "signal: 15 (SIGTERM)");
        assert!(!is_late && !is_running(&pid) && folder.path().join("ended").exists());
    }

    #[tokio::test]
    async fn orphan_in_another_session_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut family, pid) = shell(folder.path(), ":", "trap \"\" TERM").await;
        // The child outlives its parent, so it has no parent by which it could be found.
        family.terminate();
        family.exited().await.unwrap();
        assert!(is_running(&pid));
        drop(family);
        ends(&pid).await;
    }

    /// A family whose process has been waited for, with a process without the mark in its group, and perhaps one with it. Returns the
    /// ids of the two.
    async fn ended(folder: &Path, is_marked: bool) -> (Family, Vec<String>) {
        let marked = if is_marked { "sleep 600 > out 2>&1 & echo $! > marked;" } else { "" };
        let script = format!("{marked} env -i sleep 600 > out 2>&1 & echo $! > stranger");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder).stdin(Stdio::null());
        let mut family = Family::spawn(&mut command).unwrap();
        family.exited().await.unwrap();
        let files = ["stranger", "marked"].map(|name| std::fs::read_to_string(folder.join(name)));
        let pids: Vec<String> = files.into_iter().flatten().map(|pid| pid.trim().to_owned()).collect();
        // The process has the mark until it runs `sleep`.
        while !std::fs::read(Path::new("/proc").join(&pids[0]).join("environ")).unwrap().is_empty()
            || !std::fs::read(Path::new("/proc").join(&pids[0]).join("cmdline")).unwrap().starts_with(b"sleep")
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (family, pids)
    }

    #[tokio::test]
    async fn group_of_strangers_is_not_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (family, pids) = ended(folder.path(), false).await;
        drop(family);
        // It would be a zombie at once.
        assert!(is_running(&pids[0]));
        process_tree::signal(Pid::from_raw(pids[0].parse().unwrap()), Signal::KILL);
        ends(&pids[0]).await;
    }

    #[tokio::test]
    async fn group_with_a_marked_process_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (family, pids) = ended(folder.path(), true).await;
        assert_eq!(pids.len(), 2);
        drop(family);
        for pid in pids {
            ends(&pid).await;
        }
    }

    #[tokio::test]
    async fn process_that_ignores_sigterm_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut family, pid) = shell(folder.path(), "trap \"\" TERM", ":").await;
        let (status, is_late) = family.stop(Duration::from_millis(50)).await;
        assert_eq!(status.unwrap().to_string(), "signal: 9 (SIGKILL)");
        assert!(is_late);
        ends(&pid).await;
    }
}
