//! The work outside of a failed job is stopped before the job's entry is marked, by the worker that failed it or by one that
//! adopts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Failure, FailureCode, FailureKind, Outcome};
use codepipeline_worker::worker::{Summary, Worker};
use tokio::time::Instant;

use super::scenario::{A_MINUTE, Deadly, QUARTER_OF_AN_HOUR, Scenario, action_type};
use crate::support::{self, until};

/// The result of one call of `stop`.
#[derive(Clone, Copy)]
enum Stop {
    Stops,
    /// The call never returns.
    Hangs,
    Unavailable,
    Denied,
}

/// Starts work outside that does not answer, so its job fails. Each call of `stop` has the result that the test sets.
#[derive(Clone)]
struct Silent {
    stops: &'static [Stop],
    stopped: Arc<AtomicUsize>,
}

impl Action for Silent {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Err(Failure::new(FailureKind::SystemUnavailable, FailureCode::new("Test"), "no answer"))
    }

    async fn stop(&self, _: &Abandoned) -> Result<(), Failure> {
        let number = self.stopped.fetch_add(1, Ordering::SeqCst);
        match self.stops.get(number).copied().unwrap_or(Stop::Stops) {
            Stop::Stops => Ok(()),
            Stop::Hangs => std::future::pending().await,
            Stop::Unavailable => {
                Err(Failure::new(FailureKind::SystemUnavailable, FailureCode::new("Test"), "no answer"))
            }
            Stop::Denied => Err(Failure::new(FailureKind::PermissionError, FailureCode::new("Test"), "denied")),
        }
    }

    fn wants_files(&self) -> bool {
        false
    }
}

struct World {
    scenario: Scenario,
    action: Silent,
}

impl World {
    async fn new(stops: &'static [Stop]) -> Self {
        let scenario = Scenario::start(Deadly::default()).await;
        Self { scenario, action: Silent { stops, stopped: Arc::default() } }
    }

    fn worker(&self) -> Worker {
        self.scenario.worker(|_| Served::new(action_type(), A_MINUTE, self.action.clone()))
    }

    fn stopped(&self) -> usize {
        self.action.stopped.load(Ordering::SeqCst)
    }

    fn let_a_lease_expire(&self) {
        self.scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
    }
}

fn failed() -> Summary {
    Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() }
}

/// CodePipeline refuses the report, because the job has ended.
fn over() -> Summary {
    Summary { adopted: 1, claimed: 1, over: 1, ..Summary::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adopting_worker_stops_the_work_of_a_failed_job() {
    let world = World::new(&[Stop::Hangs]).await;
    let worker = world.worker();
    let invocation = tokio::spawn(async move { worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await });
    until(async || world.stopped() == 1 || invocation.is_finished()).await;
    assert_eq!(world.scenario.world.emulator.calls("PutJobFailureResult"), 1, "the report comes first");
    assert!(!world.scenario.all_done().await, "the mark comes last");
    invocation.abort();
    assert!(invocation.await.unwrap_err().is_cancelled());

    world.let_a_lease_expire();
    assert_eq!(support::invoke(&world.worker()).await, over());
    assert_eq!(world.stopped(), 2);
    assert!(world.scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_cannot_be_stopped_now_is_stopped_later() {
    let world = World::new(&[Stop::Unavailable]).await;
    assert_eq!(support::invoke(&world.worker()).await, failed());
    assert!(!world.scenario.all_done().await);
    world.let_a_lease_expire();
    assert_eq!(support::invoke(&world.worker()).await, over());
    assert_eq!(world.stopped(), 2);
    assert!(world.scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_adopting_worker_tries_to_stop_the_work() {
    let world = World::new(&[Stop::Unavailable, Stop::Unavailable]).await;
    assert_eq!(support::invoke(&world.worker()).await, failed());
    for (summary, stopped) in [(over(), 2), (Summary::default(), 2)] {
        world.let_a_lease_expire();
        assert_eq!(support::invoke(&world.worker()).await, summary);
        assert_eq!(world.stopped(), stopped);
    }
    assert!(world.scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_stop_is_not_retried() {
    let world = World::new(&[Stop::Denied]).await;
    assert_eq!(support::invoke(&world.worker()).await, failed());
    assert_eq!(world.stopped(), 1);
    assert!(world.scenario.all_done().await);
}
