//! Actions in Rust that misbehave: each job is reported nevertheless, and its folder is removed.

use std::panic::panic_any;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{Summary, Worker};
use tokio::time::Instant;

use crate::support::{self, World, action_type, custom, zip};

/// How much of an invocation is kept for the report.
const REPORTING: Duration = Duration::from_secs(10);

/// Panics when it is dropped, with another value of its type.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic_any(Bomb);
        }
    }
}

/// How an action misbehaves.
#[derive(Clone)]
enum Vice {
    /// Panics with a value that panics when it is dropped.
    Panic,
    /// Waits for ever, and panics when it is cancelled.
    PanicWhenCancelled,
    /// Keeps its thread busy until the test releases it.
    Spin(Arc<Mutex<Receiver<()>>>),
    /// Waits for a thread that waits until the test releases it.
    WaitForAThread(Arc<Mutex<Receiver<()>>>),
}

impl Vice {
    async fn give_way_to(&self, turn: Option<&Turn>) {
        if let Some(turn) = turn {
            std::fs::write(turn.workspace.root().join("a-file"), "x").unwrap();
        }
        match self {
            Self::Panic => panic_any(Bomb),
            Self::PanicWhenCancelled => {
                let _bomb = Bomb;
                std::future::pending::<()>().await;
            }
            Self::Spin(let_go) => while let_go.lock().unwrap().try_recv().is_err() {},
            Self::WaitForAThread(let_go) => {
                let let_go = Arc::clone(let_go);
                let _ = tokio::task::spawn_blocking(move || let_go.lock().unwrap().recv()).await;
            }
        }
    }
}

/// The method that misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Duty {
    Start,
    Resume,
    Stop,
}

struct Unruly {
    vice: Vice,
    duty: Duty,
}

impl Action for Unruly {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        if self.duty == Duty::Start {
            self.vice.give_way_to(Some(&turn)).await;
        }
        let token = "going on".to_owned();
        Ok(Outcome::Continue(Continuation {
            token,
            summary: None,
            external_execution_id: None,
            percent_complete: None,
        }))
    }

    async fn resume(&self, turn: Turn, _: &str) -> Result<Outcome, Failure> {
        if self.duty == Duty::Resume {
            self.vice.give_way_to(Some(&turn)).await;
        }
        std::future::pending().await
    }

    async fn stop(&self, _: &Abandoned) -> Result<(), Failure> {
        if self.duty == Duty::Stop {
            self.vice.give_way_to(None).await;
        }
        Ok(())
    }
}

async fn world() -> World {
    let settings = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let world = World::with(Options { engine: settings, ..Options::default() }).await;
    world.create_type("Test", "Unruly", &[]).await;
    world.create_pipeline("p", vec![("Test", vec![custom("Act", "Test", "Unruly")])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    world
}

fn worker(world: &World, vice: &Vice, duty: Duty, timeout: Duration) -> Worker {
    let lifecycle = Lifecycle { reporting: REPORTING, ..support::lifecycle(&world.sdk_config, world.work_folder()) };
    let served = Served::new(action_type("Test", "Custom", "Unruly"), timeout, Unruly { vice: vice.clone(), duty });
    Worker::new(lifecycle, vec![served], 1, Duration::ZERO)
}

/// Runs an invocation that leaves the action this much time. Asserts that the job's folder is removed.
async fn invoke(world: &World, worker: &Worker, time: Duration) -> Summary {
    let deadline = Instant::now() + REPORTING + time;
    let summary = worker.invoke(deadline).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(Instant::now() < deadline, "reported only after the deadline");
    let left: Vec<_> = std::fs::read_dir(world.work_folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    summary
}

async fn failure(world: &World) -> String {
    world.action("p", "Act").await.unwrap().error_details.unwrap().message.unwrap()
}

fn failed() -> Summary {
    Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_whose_value_panics_on_drop_is_reported() {
    for duty in [Duty::Start, Duty::Resume, Duty::Stop] {
        let world = world().await;
        let worker = worker(&world, &Vice::Panic, duty, Duration::from_millis(200));
        // A job that continues comes back with its token, perhaps within the same invocation.
        let mut ends = (0, 0);
        support::until(async || {
            let summary = invoke(&world, &worker, Duration::from_secs(60)).await;
            ends = (ends.0 + summary.continued, ends.1 + summary.failed);
            ends.1 > 0
        })
        .await;
        assert_eq!(ends, (usize::from(duty != Duty::Start), 1));
        let told = failure(&world).await;
        let expected = if duty == Duty::Stop { "ActionTimeout: " } else { "ActionPanicked: " };
        assert!(told.starts_with(expected), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_panics_on_cancellation_is_reported() {
    let world = world().await;
    let worker = worker(&world, &Vice::PanicWhenCancelled, Duty::Start, Duration::from_millis(200));
    assert_eq!(invoke(&world, &worker, Duration::from_secs(60)).await, failed());
    assert!(failure(&world).await.contains("panicked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_ignores_cancellation_is_reported_in_time() {
    type Make = fn(Arc<Mutex<Receiver<()>>>) -> Vice;
    // A spinning action is cut off only at the invocation's deadline. Its start must fit into the time on a slow machine, too.
    let vices: [(Make, Duration, &str); 2] = [
        (Vice::Spin, Duration::from_secs(5), "InvocationDeadline: "),
        (Vice::WaitForAThread, Duration::from_secs(60), "ActionTimeout: "),
    ];
    for (vice, time, told) in vices {
        let world = world().await;
        let (let_go, waits): (Sender<()>, _) = channel();
        let worker = worker(&world, &vice(Arc::new(Mutex::new(waits))), Duty::Start, Duration::from_millis(300));
        let summary = invoke(&world, &worker, time).await;
        // Now its thread may end; the end of the test waits for it.
        let_go.send(()).unwrap();
        assert_eq!(summary, failed());
        let said = failure(&world).await;
        assert!(said.starts_with(told), "{said}");
    }
}
