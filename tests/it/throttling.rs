//! Throttled polls: the worker waits, until waiting does not help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Outcome};
use codepipeline_worker::worker::{InvocationError, Patience, Summary, Worker};
use serde_json::json;
use tokio::time::Instant;

use crate::support::aws_json::AwsJson;
use crate::support::log::{logged, with_message};
use crate::support::{action_type, lifecycle, sdk_config};

/// Never runs, because no job comes.
struct Idle;

impl Action for Idle {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        unreachable!("there is no job")
    }
}

/// A worker that polls for two action types. The service throttles polls for the first, or for both.
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
        let lifecycle = lifecycle(&sdk_config(service.endpoint()), folder.path().join("work"));
        let served = ["Throttled", "Other"]
            .map(|provider| Served::new(action_type("Test", "Custom", provider), Duration::from_secs(1), Idle));
        let worker = Worker::new(lifecycle, served.into(), 4, Duration::from_secs(1));
        let worker = worker.patience(Patience { tries: 10, step: Duration::ZERO });
        Self { service, worker, throttles_all, _folder: folder }
    }

    /// The action types that this invocation reports as throttled for long. The invocation succeeds.
    async fn alarming(&self) -> Vec<String> {
        let (lines, summary) = logged(self.invoke()).await;
        summary.unwrap_or_else(|error| panic!("{error}"));
        let lines = with_message(&lines, "throttled for minutes");
        let mut types: Vec<_> = lines.iter().map(|line| line["actionType"].as_str().unwrap().to_owned()).collect();
        types.sort();
        types
    }

    async fn invoke(&self) -> Result<Summary, InvocationError> {
        self.worker.invoke(Instant::now() + Duration::from_secs(900)).await
    }
}

/// Advances the clock between two invocations. During an invocation it runs, because sockets don't work with paused
/// timers.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn throttled_poll_has_three_tries_and_fails_nothing() {
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
async fn throttle_of_five_minutes_is_logged_for_an_alarm() {
    let scenario = Scenario::start().await;
    scenario.throttles_all.store(true, Ordering::SeqCst);
    let mut alarming = Vec::new();
    for pause in [0, 240, 60] {
        later(Duration::from_secs(pause)).await;
        alarming.push(scenario.alarming().await);
    }
    assert_eq!(alarming, [vec![], vec![], vec!["Custom/Test/Other/1", "Custom/Test/Throttled/1"]]);

    // After one answered poll, only the other type is throttled for long.
    scenario.throttles_all.store(false, Ordering::SeqCst);
    assert_eq!(scenario.alarming().await, ["Custom/Test/Throttled/1"]);
    scenario.throttles_all.store(true, Ordering::SeqCst);
    assert_eq!(scenario.alarming().await, ["Custom/Test/Throttled/1"]);
}

#[tokio::test]
async fn several_polls_of_an_invocation_count_as_one_throttle() {
    let scenario = Scenario::start().await;
    let throttled = action_type("Test", "Custom", "Throttled");
    for _ in 0..4 {
        let deadline = Instant::now() + Duration::from_secs(900);
        let (lines, summary) = logged(scenario.worker.action_started(&throttled, None, None, deadline)).await;
        assert_eq!(summary.unwrap().throttled_polls, 10);
        assert_eq!(with_message(&lines, "throttled for minutes").len(), 0, "forty polls, but four invocations");
    }
}
