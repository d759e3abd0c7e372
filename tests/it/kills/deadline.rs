//! Past the deadline, a worker that is stuck or was suspended ends itself. It sends nothing that could harm another
//! worker.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Outcome};
use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use super::lone::Lone;
use super::runtime::Runtime;
use super::step::Step;
use super::wire::{SharedLog, Wire};
use crate::support::{action_type, until};

/// The worker takes a job if 11 s are left: 10 s to report, 1 s to stage, and the action's own time. The worker is
/// warm, and the rest is for slow machines.
const TIME: Duration = Duration::from_secs(20);
const ACTION: Duration = Duration::from_millis(10);

/// How late a slow machine may notice that the process ended. Other workers leave its job alone for that long.
const LATE: Duration = Duration::from_secs(10);

/// Tells the test binary that it is the worker.
const ROLE: &str = "KILLS_ROLE";

/// A custom action that takes its worker down.
#[derive(Clone, Copy)]
enum Fatal {
    /// Blocks every thread that runs futures.
    Blocks,
    /// Suspends the process, like a machine that sleeps.
    Sleeps,
}

impl Action for Fatal {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        if matches!(self, Self::Sleeps) {
            kill_process(getpid(), Signal::STOP).unwrap();
            std::future::pending::<()>().await;
        }
        for _ in 0..1000 {
            tokio::spawn(async { park() });
        }
        park()
    }
}

fn park() -> ! {
    loop {
        std::thread::park();
    }
}

#[expect(clippy::disallowed_methods, reason = "the test tells its child process what to do")]
fn is_worker() -> bool {
    std::env::var(ROLE).is_ok()
}

fn worker(action: Fatal) {
    let served = Served::new(action_type("Build", "Custom", "Shell"), ACTION, action);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _ = runtime.block_on(codepipeline_worker::run_with(vec![served]));
    panic!("the worker came to an end");
}

/// A worker with a fatal action, and its way to the emulator.
struct Scenario {
    lone: Lone,
    log: SharedLog,
    runtime: Runtime,
    /// When the worker must have ended.
    deadline: Instant,
    process: Child,
    _wire: Wire,
}

impl Scenario {
    async fn start(test: &str) -> Self {
        let lone = Lone::start("true").await;
        let log = SharedLog::default();
        let wire = Wire::start(&lone.world.emulator.endpoint(), &log).await;
        let runtime = Runtime::start(TIME).await;
        let environment = lone.environment(wire.endpoint());
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env_clear()
            .envs(environment.into_iter().filter(|(name, _)| name != "ACTIONS"))
            .env("STAGING_TIMEOUT", "1")
            .envs(runtime.environment())
            .env(ROLE, "worker")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        runtime.warmed().await;
        lone.run().await;
        let deadline = runtime.release().await;
        Self { lone, log, runtime, deadline, process, _wire: wire }
    }

    /// The worker aborts itself. Returns when it did, and its output.
    async fn aborted(self) -> (Lone, SharedLog, Instant, String) {
        let output = self.runtime.watching(self.process.wait_with_output()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.signal(), Some(Signal::ABORT.as_raw()), "{}\n{said}", output.status);
        assert!(said.contains("the invocation did not end at its deadline"), "{said}");
        (self.lone, self.log, Instant::now(), said)
    }
}

#[test]
fn a_blocked_worker_ends_and_the_next_reports_its_job() {
    if is_worker() {
        return worker(Fatal::Blocks);
    }
    let test = "kills::deadline::a_blocked_worker_ends_and_the_next_reports_its_job";
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let scenario = Scenario::start(test).await;
        let deadline = scenario.deadline;
        let (lone, log, ended, said) = scenario.aborted().await;
        assert!(ended < deadline + LATE, "{:?} late: {said}", ended - deadline);
        assert!(ended + LATE > deadline, "{:?} early: {said}", deadline - ended);
        assert!(log.lock().records.iter().any(|record| record.step == Step::Hold), "{said}");
        let late: Vec<_> =
            log.lock().records.iter().filter(|record| record.at > deadline).map(|record| record.step).collect();
        assert!(late.is_empty(), "{late:?} after the deadline: {said}");
        assert!(log.lock().records.iter().all(|record| record.step != Step::Report), "{said}");
        lone.successor_reports_a_death().await;
    });
}

#[test]
fn a_worker_that_wakes_after_its_deadline_ends_itself() {
    if is_worker() {
        return worker(Fatal::Sleeps);
    }
    let test = "kills::deadline::a_worker_that_wakes_after_its_deadline_ends_itself";
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let scenario = Scenario::start(test).await;
        let pid = Pid::from_raw(scenario.process.id().unwrap().try_into().unwrap()).unwrap();
        scenario.runtime.watching(until(async || state(pid) == "T")).await;
        sleep_until(scenario.deadline).await;
        scenario.lone.successor_reports_a_death().await;
        let before = scenario.log.lock().records.len();

        kill_process(pid, Signal::CONT).unwrap();
        let (lone, log, _, said) = scenario.aborted().await;
        let sent: Vec<_> = log.lock().records.iter().skip(before).map(|record| record.step).collect();
        assert!(!sent.contains(&Step::Report), "{sent:?} were sent: {said}");
        lone.is_over_with(1).await;
    });
}

/// One letter, `T` for stopped (proc_pid_stat(5)).
fn state(pid: Pid) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest[..1].to_owned()
}
