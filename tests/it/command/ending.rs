//! The end of a command and of all processes that it started.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use codepipeline_worker::actions::command::{harden_process, kill_descendants};
use codepipeline_worker::job::FailureKind;
use rustix::process::{DumpableBehavior, child_subreaper, dumpable_behavior, getuid};

use super::scenario::{Staged, describe, exists, program, sh};
use crate::support::children::Children;

/// Starts four processes that try to survive: one in its own session, two whose parent has ended, and one that is stopped. They ignore
/// SIGTERM, hold the output open and wait forever. Then writes their numbers to the file `pids`.
const SURVIVORS: &str = r#"
    cd "$OUTPUT_OUT" && mkfifo never
    survive='trap "" TERM HUP; echo $$ >> pids.new; read x < never'
    setsid sh -c "$survive" &
    (setsid sh -c "$survive" &)
    (sh -c "$survive" &)
    sh -c 'echo $$ >> pids.new; kill -STOP $$' &
    until [ "$(wc -l < pids.new)" = 4 ] 2>/dev/null; do :; done
    mv pids.new pids
"#;

fn assert_no_survivors(staged: &Staged) {
    let pids = staged.written("pids");
    assert_eq!(pids.lines().count(), 4);
    let survivors: Vec<&str> = pids.lines().filter(|pid| exists(pid)).collect();
    assert!(survivors.is_empty(), "{survivors:?}");
}

#[tokio::test]
async fn exit_codes_and_signals_fail_the_job() {
    let code = sh("echo why; exit 3").fail().await;
    assert_eq!((code.kind, code.code.as_str()), (FailureKind::JobFailed, "CommandFailed"));
    assert!(code.message.ends_with("exit code 3"), "{}", code.message);
    assert_eq!(code.output.as_deref(), Some("why"));
    let signal = sh("kill -KILL $$").fail().await;
    assert_eq!((signal.kind, signal.code.as_str()), (FailureKind::JobFailed, "CommandKilled"));
    assert!(signal.message.contains("signal 9 (SIGKILL)"), "{}", signal.message);
}

#[tokio::test]
async fn processes_left_behind_are_killed() {
    let staged = sh(SURVIVORS).stage();
    staged.start().await.map_err(describe).unwrap();
    assert_no_survivors(&staged);
}

#[tokio::test]
async fn a_command_may_clean_up_at_its_timeout() {
    let script = r#"
        trap 'echo cleaned up; exit 0' TERM
        mkfifo never; (read x < never) & wait; wait
    "#;
    // The command ends before the grace of ten minutes.
    let failure = sh(script).timeout(Duration::from_secs(4)).fail().await;
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::JobFailed, "CommandTimeout"));
    assert!(failure.message.contains("timeoutSeconds (4)"), "{}", failure.message);
    assert_eq!(failure.output.as_deref(), Some("cleaned up"));
}

#[tokio::test]
async fn processes_that_ignore_sigterm_are_killed() {
    let script = format!("trap '' TERM; {SURVIVORS} read x < never");
    let staged = sh(&script).timeout(Duration::from_secs(5)).grace(Duration::from_millis(100)).stage();
    let failure = staged.start().await.err().unwrap();
    assert_eq!(failure.code.as_str(), "CommandTimeout");
    assert_no_survivors(&staged);
}

#[tokio::test]
async fn a_command_is_killed_before_the_invocation_ends() {
    let _children = Children::all();
    let scenario = sh("mkfifo never; read x < never").grace(Duration::from_millis(100));
    let failure = scenario.deadline(Duration::from_secs(5)).stage().start_alone().await.err().unwrap();
    assert_eq!(failure.code.as_str(), "CommandOutOfTime");
    assert!(failure.message.contains("timeoutSeconds (600)"), "{}", failure.message);
}

#[tokio::test]
async fn without_time_a_command_is_not_started() {
    let staged =
        sh("echo > $OUTPUT_OUT/started").grace(Duration::from_secs(5)).deadline(Duration::from_secs(3)).stage();
    let failure = staged.start().await.err().unwrap();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::SystemUnavailable, "CommandOutOfTime"));
    assert!(!staged.output().join("started").exists());
}

#[tokio::test]
async fn a_cancelled_job_leaves_no_process() {
    let script = format!("{SURVIVORS} read x < never");
    let staged = sh(&script).stage();
    tokio::select! {
        _ = staged.start() => panic!("the command waits forever"),
        () = staged.wait_for("pids") => {}
    }
    // No time has passed since the future was dropped.
    assert_no_survivors(&staged);
}

#[tokio::test]
async fn processes_that_start_each_other_are_killed() {
    let script = r#"
        printf 'echo >> "$OUTPUT_OUT/generations"; setsid sh "$0" & \n' > comet
        sh comet
        until [ "$(wc -l < "$OUTPUT_OUT/generations")" -gt 20 ] 2>/dev/null; do :; done
    "#;
    let staged = sh(script).stage();
    staged.start().await.map_err(describe).unwrap();
    let generations = staged.written("generations");
    sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").succeed().await;
    assert_eq!(staged.written("generations").len(), generations.len());
}

#[tokio::test]
async fn dead_orphans_of_a_running_command_are_reaped() {
    let script = r#"
        (sh -c 'echo $$ > "$OUTPUT_OUT/pid"' &)
        until [ -s "$OUTPUT_OUT/pid" ]; do :; done
        while [ -e "/proc/$(cat "$OUTPUT_OUT/pid")" ]; do :; done
    "#;
    // A zombie stays in /proc until its parent, the worker, reaps it.
    sh(script).timeout(Duration::from_secs(60)).succeed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_one_at_a_time() {
    let meeting = tempfile::tempdir().unwrap();
    let lock = meeting.path().join("lock");
    let script = "mkdir $CONFIG_LOCK || exit 1; i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; rmdir $CONFIG_LOCK";
    let commands: Vec<_> = (0..8)
        .map(|_| {
            let staged = sh(script).configured("Lock", lock.to_str().unwrap()).stage();
            tokio::spawn(async move { staged.start().await.map(drop).map_err(describe) })
        })
        .collect();
    for command in commands {
        command.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn earlier_children_are_not_killed() {
    let _children = Children::all();
    let mut neighbour = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let staged = sh(SURVIVORS).stage();
    staged.start_alone().await.map_err(describe).unwrap();
    assert_no_survivors(&staged);
    assert!(neighbour.try_wait().unwrap().is_none());
    drop(neighbour.stdin.take());
    assert!(neighbour.wait().unwrap().success());
}

#[tokio::test]
async fn kill_descendants_kills_a_running_command() {
    let _children = Children::all();
    let staged = sh(&format!("{SURVIVORS} read x < never")).stage();
    let ending = tokio::select! {
        ended = staged.start_alone() => ended.err(),
        () = async { staged.wait_for("pids").await; kill_descendants(); std::future::pending().await } => None,
    };
    assert_eq!(ending.unwrap().code.as_str(), "CommandKilled");
    assert_no_survivors(&staged);
}

#[tokio::test]
async fn a_stopped_command_is_killed_at_its_timeout() {
    let scenario = sh("kill -STOP $$").timeout(Duration::from_millis(300)).grace(Duration::from_millis(100));
    let failure = scenario.fail().await;
    assert_eq!(failure.code.as_str(), "CommandTimeout");
}

#[tokio::test]
async fn a_silent_command_is_killed_at_its_timeout() {
    let script = "exec >&- 2>&-; mkfifo never; read x < never";
    let failure = sh(script).timeout(Duration::from_millis(300)).fail().await;
    assert_eq!(failure.code.as_str(), "CommandTimeout");
    assert!(failure.output.is_none());
}

/// Limits the processes of `script`. As root, runs it as its own user, because the limit counts all processes of a user.
fn bounded(script: &str) -> Vec<String> {
    let most = 150;
    let user = if getuid().is_root() { "setpriv --reuid 64123 --regid 64123 --clear-groups " } else { "" };
    let others = if getuid().is_root() { 0 } else { threads_of_this_user() };
    let wrapped = format!("{user}prlimit --nproc={0}:{0} sh -c", most + others);
    wrapped.split(' ').chain([script]).map(str::to_owned).collect()
}

fn threads_of_this_user() -> usize {
    let own = |entry: &std::fs::DirEntry| entry.metadata().is_ok_and(|it| it.uid() == getuid().as_raw());
    let listing = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(own);
    listing.filter_map(|process| std::fs::read_dir(process.path().join("task")).ok()).map(Iterator::count).sum()
}

#[tokio::test]
async fn a_fork_bomb_is_killed_at_its_timeout() {
    let _children = Children::all();
    // Each process ignores SIGTERM and starts two more, one in its own session, up to the limit. The mark distinguishes it from bombs of
    // other tests on this machine.
    let mark = format!("bomb-{}", std::process::id());
    let bomb = format!(r#": {mark}; trap '' TERM; while :; do setsid sh -c "$0" "$0" & sh -c "$0" "$0" & wait; done"#);
    let start = r#"trap '' TERM; sh -c "$0" "$0" & exec tail -f /dev/null"#;
    let mut arguments = bounded(start);
    arguments.push(bomb);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let scenario = program(&arguments).timeout(Duration::from_millis(700)).grace(Duration::from_millis(100));
    let staged = scenario.stage();
    let failure = staged.start_alone().await.err().unwrap();
    assert_eq!(failure.code.as_str(), "CommandTimeout");
    assert!(!command_lines().any(|line| line.contains(&mark)), "some processes are left");
}

fn command_lines() -> impl Iterator<Item = String> {
    let listing = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    listing
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
}

#[tokio::test]
async fn the_worker_is_protected_before_a_command_starts() {
    sh("true").succeed().await;
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    assert!(child_subreaper().unwrap().is_some());
    harden_process().unwrap();
}
