//! CodePipeline's events: the worker polls for an action that started, and stops the work of one that ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Failure, FailureCode, FailureKind, Finished, Origin, Outcome};
use codepipeline_worker::ledger::{Entry, InvocationId, Key, Ledger, Phase, Version, WriteId, WriteResult};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Patience, Summary, Worker};
use tokio::time::Instant;

use crate::support::{self, World, custom, until, zip};

/// Finishes at once, and records the work that it must stop.
#[derive(Clone, Default)]
struct Recorder {
    stopped: Arc<Mutex<Vec<Abandoned>>>,
    cannot_stop: bool,
}

impl Action for Recorder {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Ok(Outcome::Finished(Finished::default()))
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.stopped.lock().unwrap().push(abandoned.clone());
        if self.cannot_stop {
            return Err(Failure::new(FailureKind::SystemUnavailable, FailureCode::new("Test"), "the service is down"));
        }
        Ok(())
    }
}

fn test_type(provider: &str) -> ActionTypeId {
    support::action_type("Test", "Custom", provider)
}

/// A world with the custom types `Test/One` and `Test/Other` and a pipeline for each, `one` and `other`.
async fn world() -> World {
    let world = World::new().await;
    for (pipeline, provider) in [("one", "One"), ("other", "Other")] {
        world.create_type("Test", provider, &[]).await;
        world.create_pipeline(pipeline, vec![("Test", vec![custom("Act", "Test", provider)])]).await;
    }
    world.put_source(zip(&[("a", "b")])).await;
    world
}

fn worker(world: &World, action: &Recorder, tries: u32) -> Worker {
    let lifecycle = support::lifecycle(&world.sdk_config, world.work_folder());
    let served = ["One", "Other"].map(|it| Served::new(test_type(it), Duration::from_secs(60), action.clone()));
    let worker = Worker::new(lifecycle, served.into(), 4, Duration::from_secs(60));
    worker.patience(Patience { tries, step: Duration::ZERO })
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(900)
}

#[tokio::test(flavor = "multi_thread")]
async fn started_action_is_polled_for_until_its_job_comes() {
    let world = world().await;
    let worker = worker(&world, &Recorder::default(), u32::MAX);
    world.start("other").await;
    world.until_begun("other", "Act").await;

    let one = test_type("One");
    let late = async {
        until(async || world.emulator.calls("PollForJobs") >= 3).await;
        world.start("one").await;
    };
    let (summary, ()) = tokio::join!(worker.action_started(&one, None, None, deadline()), late);

    assert_eq!(summary, Ok(Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() }));
    assert!(world.action("one", "Act").await.unwrap().status.unwrap().as_str() == "Succeeded");
    assert!(world.action("other", "Act").await.unwrap().status.unwrap().as_str() == "InProgress");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_job_is_polled_for_a_few_times() {
    let world = world().await;
    let summary =
        worker(&world, &Recorder::default(), 4).action_started(&test_type("One"), None, None, deadline()).await;
    assert_eq!(summary, Ok(Summary::default()));
    assert_eq!(world.emulator.calls("PollForJobs"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_poll_counts_as_one_of_the_polls() {
    // Each poll is tried three times.
    for (fault, throttled, failed) in [("PollForJobs:1-9:throttle", 3, 0), ("PollForJobs:1-9:error", 0, 3)] {
        let world = world().await;
        world.start("one").await;
        world.until_begun("one", "Act").await;
        world.emulator.faults().add(fault.parse().unwrap());
        let summary =
            worker(&world, &Recorder::default(), 4).action_started(&test_type("One"), None, None, deadline()).await;
        let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
        assert_eq!(summary, Ok(Summary { throttled_polls: throttled, failed_polls: failed, ..expected }), "{fault}");
        assert_eq!(
            world.emulator.calls("PollForJobs"),
            11,
            "{fault}: three polls of three tries, the job, and an empty poll"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ten_polls_are_sent_while_codepipeline_throttles() {
    let world = world().await;
    world.emulator.faults().add("PollForJobs:*:throttle".parse().unwrap());
    let worker = worker(&world, &Recorder::default(), Patience::default().tries);
    let summary = worker.action_started(&test_type("One"), Some("e"), None, deadline()).await;
    assert_eq!(summary, Ok(Summary { throttled_polls: 10, ..Summary::default() }));
    assert_eq!(world.emulator.calls("PollForJobs"), 30);
}

/// The job's ledger entry decides how many of ten polls the worker sends.
#[tokio::test(flavor = "multi_thread")]
async fn polling_stops_once_another_worker_holds_the_job() {
    let world = world().await;
    world.s3.create_bucket().bucket("ledger").send().await.unwrap();
    let ledger = Ledger::new(&world.sdk_config, "ledger".into());
    let claimed = Entry {
        job: "job".into(),
        phase: Phase::Claiming,
        owner: InvocationId::random(),
        lease: Duration::from_secs(900),
        adoptions: 0,
        marked: false,
        inferred: false,
        origin: Origin::Polled,
        action_type: test_type("One"),
        pipeline: None,
        pipeline_execution_id: None,
        stage: None,
        action: None,
        action_execution_id: Some("sought".into()),
    };
    let other =
        Entry { job: "other".into(), phase: Phase::Held, action_execution_id: Some("other".into()), ..claimed.clone() };
    let write = async |entry: &Entry, over: Option<&Version>| match ledger
        .write(&Key::polled(&entry.job), over, entry, &WriteId::random())
        .await
    {
        WriteResult::Written(version) => version,
        failed => panic!("{failed:?}"),
    };
    write(&other, None).await;
    let version = write(&claimed, None).await;
    let lifecycle =
        Lifecycle { ledger: Some(ledger.clone()), ..support::lifecycle(&world.sdk_config, world.work_folder()) };
    let served = Served::new(test_type("One"), Duration::from_secs(60), Recorder::default());
    let worker = Worker::new(lifecycle, vec![served], 4, Duration::from_secs(60));
    let worker = worker.patience(Patience { tries: 10, step: Duration::ZERO });
    let calls = |operation| world.emulator.calls(operation);

    assert_eq!(
        worker.action_started(&test_type("One"), Some("sought"), None, deadline()).await,
        Ok(Summary::default())
    );
    assert_eq!((calls("PollForJobs"), calls("ListObjectsV2")), (10, 3), "a claiming worker may still drop the job");
    let held = Entry { phase: Phase::Held, ..claimed };
    write(&held, Some(&version)).await;
    assert_eq!(
        worker.action_started(&test_type("One"), Some("sought"), None, deadline()).await,
        Ok(Summary::default())
    );
    assert_eq!((calls("PollForJobs"), calls("ListObjectsV2")), (13, 4));
    let reads = calls("GetObject");
    assert_eq!(worker.action_started(&test_type("One"), Some("third"), None, deadline()).await, Ok(Summary::default()));
    assert_eq!((calls("PollForJobs"), calls("GetObject") - reads), (23, 2), "no entry is read twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn end_event_without_an_action_execution_is_an_error() {
    let world = world().await;
    let worker = worker(&world, &Recorder::default(), 4);
    let error = worker.action_over(&test_type("One"), None, deadline()).await.unwrap_err();
    assert_eq!(error, InvocationError::UnnamedExecution(test_type("One")));
}

#[tokio::test(flavor = "multi_thread")]
async fn action_of_an_unserved_type_causes_no_poll() {
    let world = world().await;
    let action = Recorder::default();
    let worker = worker(&world, &action, 4);
    let foreign = test_type("Foreign");
    assert_eq!(worker.action_started(&foreign, None, None, deadline()).await, Ok(Summary::default()));
    assert_eq!(worker.action_over(&foreign, Some("e"), deadline()).await, Ok(Summary::default()));
    assert_eq!(world.emulator.calls("PollForJobs"), 0);
    assert!(action.stopped.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_actions_work_is_stopped() {
    let world = world().await;
    let action = Recorder::default();
    let summary = worker(&world, &action, 4).action_over(&test_type("One"), Some("execution"), deadline()).await;
    assert_eq!(summary, Ok(Summary { stopped: 1, ..Summary::default() }));
    let stopped = action.stopped.lock().unwrap();
    assert_eq!((stopped.len(), stopped[0].execution_id.as_str(), &stopped[0].token), (1, "execution", &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_to_stop_work_fails_the_invocation() {
    let world = world().await;
    let action = Recorder { cannot_stop: true, ..Recorder::default() };
    let error = worker(&world, &action, 4).action_over(&test_type("One"), Some("e"), deadline()).await.unwrap_err();
    let expected = InvocationError::NotStopped { execution_id: "e".into(), reason: "the service is down".into() };
    assert_eq!(error, expected);
}
