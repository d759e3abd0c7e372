//! No process or thread can start when the deadline comes.
//!
//! The limit (`RLIMIT_NPROC`) does not bind root, so an ordinary user runs the worker: the user who runs the tests, or
//! `nobody` if that is root.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, getuid};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::sleep_until;

use super::lone::Lone;
use super::runtime::Runtime;
use crate::support::{shell, until};

/// The worker takes a job if there is time to report (10 s), to stage (1 s), to run the command (1 s) and to end it.
const TIME: Duration = Duration::from_secs(22);

/// Leaves the worker no thread, and stops it until its deadline. Two processes remain that ignore SIGTERM.
const FILL: &str = r#"trap '' TERM; prlimit --pid $PPID --nproc=1:1 || exit 9
    setsid sh -c 'echo $$ > EFFECTS/daemon; exec sleep 600' & while [ ! -s EFFECTS/daemon ]; do sleep 0.1; done
    kill -STOP $PPID; echo $$ > EFFECTS/own; while [ ! -e EFFECTS/late ]; do sleep 0.1; done; kill -CONT $PPID
    exec sleep 600"#;

/// The real binary, run by a user whom the kernel can refuse a thread.
fn worker(lone: &Lone, runtime: &Runtime) -> Child {
    let folder = lone.world.folder.path();
    let binary = folder.join("worker");
    std::fs::copy(env!("CARGO_BIN_EXE_codepipeline-worker"), &binary).unwrap();
    std::fs::create_dir(lone.work_folder()).unwrap();
    for (path, mode) in [(folder, 0o755), (&lone.work_folder(), 0o777), (lone.effects(), 0o777), (&binary, 0o755)] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let mut command = Command::new(if getuid().is_root() { "setpriv" } else { "env" });
    if getuid().is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    let mut shell = shell("Build", "Shell");
    shell["timeoutSeconds"] = json!(1);
    let command = command.arg(&binary).env_clear().envs(lone.environment(&lone.world.emulator.endpoint()));
    let command = command.envs([("ACTIONS", json!([shell]).to_string().as_str()), ("STAGING_TIMEOUT", "1")]);
    let command = command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(runtime.environment());
    command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// The process id in this file.
fn written(file: &Path) -> Option<Pid> {
    Pid::from_raw(std::fs::read_to_string(file).ok()?.trim().parse().ok()?)
}

/// Whether a process is alive. A dead one may stay in /proc because no process reaps it.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_threads_ends_its_processes_at_the_deadline() {
    let lone = Lone::start(FILL).await;
    let runtime = Runtime::start(TIME).await;
    let process = worker(&lone, &runtime);
    runtime.warmed().await;
    lone.run().await;
    let deadline = runtime.release().await;
    let file = |name: &str| lone.effects().join(name);
    runtime.watching(until(async || written(&file("own")).is_some())).await;
    let started = ["own", "daemon"].map(|name| written(&file(name)).unwrap());
    sleep_until(deadline).await;
    std::fs::write(file("late"), "").unwrap();

    let output = runtime.watching(process.wait_with_output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.signal(), Some(Signal::ABORT.as_raw()), "{}\n{said}", output.status);
    assert!(said.contains("the invocation did not end at its deadline"), "{said}");
    assert!(!started.iter().any(|&pid| is_alive(pid)), "the command's processes are alive: {said}");
    lone.successor_reports_a_death().await;
}
