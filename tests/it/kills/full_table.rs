//! No process or thread left to be had, when the deadline comes.
//!
//! Root is not bound by the limit (`RLIMIT_NPROC`), so the worker is run as an ordinary user: as the one who runs the tests or,
//! if that is root, as `nobody`.

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

/// A job is taken if there is time for reporting (10 s), for staging (1 s), for the command (1 s) and for ending it.
const TIME: Duration = Duration::from_secs(22);

/// Leaves its worker no further thread and has it asleep at its deadline. Two processes stay that ignore what asks them to end.
const FILL: &str = r#"trap '' TERM; prlimit --pid $PPID --nproc=1:1 || exit 9
    setsid sh -c 'echo $$ > EFFECTS/daemon; exec sleep 600' & while [ ! -s EFFECTS/daemon ]; do sleep 0.1; done
    kill -STOP $PPID; echo $$ > EFFECTS/own; while [ ! -e EFFECTS/late ]; do sleep 0.1; done; kill -CONT $PPID
    exec sleep 600"#;

/// The real binary, by a user whom the kernel can deny a thread.
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

/// The number that a process has written.
fn written(file: &Path) -> Option<Pid> {
    Pid::from_raw(std::fs::read_to_string(file).ok()?.trim().parse().ok()?)
}

/// Whether a process does anything any more: nobody may be there to reap it.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gets_no_thread_at_its_deadline_still_ends_what_it_has_started() {
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
    assert!(said.contains("the invocation's deadline has come and it is not over"), "{said}");
    assert!(!started.iter().any(|&pid| is_alive(pid)), "the command's processes go on: {said}");
    lone.successor_reports_a_death().await;
}
