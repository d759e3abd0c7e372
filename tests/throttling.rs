//! Polls that CodePipeline throttles: waited out, until that is no use.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codepipeline_worker::actions::{Action, Run, Served};
use codepipeline_worker::job::{Failure, Outcome};
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use serde_json::json;
use support::aws_json::AwsJson;
use support::{action_type, lifecycle, shared_config};
use tokio::time::Instant;

mod support;

/// Never run: no job comes.
struct Idle;

impl Action for Idle {
    async fn start(&self, _: Run) -> Result<Outcome, Failure> {
        unreachable!("there is no job")
    }
}

/// A worker that polls for two types of a service that throttles polls for the first, or for both.
struct Scenario {
    service: AwsJson,
    worker: Worker,
    throttles_all: Arc<AtomicBool>,
    _folder: tempfile::TempDir,
}

impl Scenario {
    async fn start() -> Self {
        let throttles_all = Arc::new(AtomicBool::new(false));
        let all = Arc::clone(&throttles_all);
        let service = AwsJson::start(move |_, input| match input["actionTypeId"]["provider"].as_str() {
            Some("Other") if !all.load(Ordering::SeqCst) => Ok(json!({"jobs": []})),
            _ => Err("ThrottlingException"),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let lifecycle = lifecycle(&shared_config(service.endpoint()), folder.path().join("work"));
        let served = ["Throttled", "Other"]
            .map(|provider| Served::new(action_type("Test", "Custom", provider), Duration::from_secs(1), Idle));
        let worker = Worker::new(lifecycle, served.into(), 4, Duration::from_secs(1));
        Self { service, worker, throttles_all, _folder: folder }
    }

    async fn invoke(&self) -> Result<Summary, InvocationError> {
        self.worker.invoke(Instant::now() + Duration::from_secs(900)).await
    }
}

/// Lets time pass by between two invocations. It stands still in neither: while it is paused, sockets and timers don't mix.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_throttled_poll_is_tried_three_times_and_fails_nothing() {
    let scenario = Scenario::start().await;
    let summary = scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((summary.throttled_polls, summary.failed_polls), (1, 0));
    let polled = scenario.service.inputs("PollForJobs");
    let of = |provider: &str| polled.iter().filter(|input| input["actionTypeId"]["provider"] == provider).count();
    assert_eq!((of("Throttled"), of("Other")), (3, 1));

    scenario.throttles_all.store(true, Ordering::SeqCst);
    let summary = scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((summary.throttled_polls, summary.failed_polls), (2, 0));
}

#[tokio::test]
async fn a_throttle_that_lasts_for_five_minutes_is_a_failed_poll() {
    let scenario = Scenario::start().await;
    scenario.throttles_all.store(true, Ordering::SeqCst);
    scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    later(Duration::from_secs(240)).await;
    scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    later(Duration::from_secs(60)).await;
    assert_eq!(scenario.invoke().await, Err(InvocationError::NothingPolled(2)));

    // One answer, and the other type alone is still throttled: as with any failed poll, the others go on.
    scenario.throttles_all.store(false, Ordering::SeqCst);
    let summary = scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((summary.throttled_polls, summary.failed_polls), (0, 1));
    scenario.throttles_all.store(true, Ordering::SeqCst);
    let summary = scenario.invoke().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((summary.throttled_polls, summary.failed_polls), (1, 1));
}
