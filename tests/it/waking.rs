//! CodePipeline's own events: an action that begins is looked for, one that is over has its work stopped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Failure, FailureCode, FailureKind, Finished, Origin, Outcome};
use codepipeline_worker::ledger::{Entry, InvocationId, Key, Ledger, Phase, Version, WriteId, WriteResult};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Patience, Summary, Worker};
use tokio::time::Instant;

use crate::support::{self, World, custom, until, zip};

/// Finishes at once. Notes what it is to stop, and stops it if it can.
#[derive(Clone, Default)]
struct Noting {
    stopped: Arc<Mutex<Vec<Abandoned>>>,
    cannot_stop: bool,
}

impl Action for Noting {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Ok(Outcome::Finished(Finished::default()))
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.stopped.lock().unwrap().push(abandoned.clone());
        if self.cannot_stop {
            return Err(Failure::new(FailureKind::SystemUnavailable, FailureCode::new("Test"), "the service is away"));
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

fn worker(world: &World, action: &Noting, tries: u32) -> Worker {
    let lifecycle = support::lifecycle(&world.sdk_config, world.work_folder());
    let served = ["One", "Other"].map(|it| Served::new(test_type(it), Duration::from_secs(60), action.clone()));
    let worker = Worker::new(lifecycle, served.into(), 4, Duration::from_secs(60));
    worker.patience(Patience { tries, step: Duration::ZERO })
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(900)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_begins_is_looked_for_until_its_job_is_there_and_others_are_not() {
    let world = world().await;
    let worker = worker(&world, &Noting::default(), u32::MAX);
    world.start("other").await;
    world.until_begun("other", "Act").await;

    let one = test_type("One");
    let late = async {
        until(async || world.emulator.calls("PollForJobs") >= 3).await;
        world.start("one").await;
    };
    let (summary, ()) = tokio::join!(worker.action_started(&one, None, deadline()), late);

    assert_eq!(summary, Ok(Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() }));
    assert!(world.action("one", "Act").await.unwrap().status.unwrap().as_str() == "Succeeded");
    assert!(world.action("other", "Act").await.unwrap().status.unwrap().as_str() == "InProgress");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_comes_is_looked_for_a_few_times() {
    let world = world().await;
    let summary = worker(&world, &Noting::default(), 4).action_started(&test_type("One"), None, deadline()).await;
    assert_eq!(summary, Ok(Summary::default()));
    assert_eq!(world.emulator.calls("PollForJobs"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_or_unanswered_poll_is_one_of_the_polls() {
    // Each poll is tried three times.
    for (fault, throttled, failed) in [("PollForJobs:1-9:throttle", 3, 0), ("PollForJobs:1-9:error", 0, 3)] {
        let world = world().await;
        world.start("one").await;
        world.until_begun("one", "Act").await;
        world.emulator.faults().add(fault.parse().unwrap());
        let summary = worker(&world, &Noting::default(), 4).action_started(&test_type("One"), None, deadline()).await;
        let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
        assert_eq!(summary, Ok(Summary { throttled_polls: throttled, failed_polls: failed, ..expected }), "{fault}");
        assert_eq!(world.emulator.calls("PollForJobs"), 11, "{fault}: three tries thrice, the job, and nothing more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ten_polls_are_sent_while_codepipeline_throttles() {
    let world = world().await;
    world.emulator.faults().add("PollForJobs:*:throttle".parse().unwrap());
    let worker = worker(&world, &Noting::default(), Patience::default().tries);
    let summary = worker.action_started(&test_type("One"), Some("e"), deadline()).await;
    assert_eq!(summary, Ok(Summary { throttled_polls: 10, ..Summary::default() }));
    assert_eq!(world.emulator.calls("PollForJobs"), 30);
}

/// What the ledger says of an action execution's job, and how many polls that leaves of ten.
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
        pipeline_execution_id: None,
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
    let served = Served::new(test_type("One"), Duration::from_secs(60), Noting::default());
    let worker = Worker::new(lifecycle, vec![served], 4, Duration::from_secs(60));
    let worker = worker.patience(Patience { tries: 10, step: Duration::ZERO });
    let calls = |operation| world.emulator.calls(operation);

    assert_eq!(worker.action_started(&test_type("One"), Some("sought"), deadline()).await, Ok(Summary::default()));
    assert_eq!((calls("PollForJobs"), calls("ListObjectsV2")), (10, 3), "a claim may still be given up");
    let held = Entry { phase: Phase::Held, ..claimed };
    write(&held, Some(&version)).await;
    assert_eq!(worker.action_started(&test_type("One"), Some("sought"), deadline()).await, Ok(Summary::default()));
    assert_eq!((calls("PollForJobs"), calls("ListObjectsV2")), (13, 4));
    let reads = calls("GetObject");
    assert_eq!(worker.action_started(&test_type("One"), Some("third"), deadline()).await, Ok(Summary::default()));
    assert_eq!((calls("PollForJobs"), calls("GetObject") - reads), (23, 2), "no entry is read twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_over_event_without_an_action_execution_is_an_error() {
    let world = world().await;
    let worker = worker(&world, &Noting::default(), 4);
    let error = worker.action_over(&test_type("One"), None, deadline()).await.unwrap_err();
    assert_eq!(error, InvocationError::UnnamedExecution(test_type("One")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_of_a_type_that_is_not_served_costs_nothing() {
    let world = world().await;
    let action = Noting::default();
    let worker = worker(&world, &action, 4);
    let foreign = test_type("Foreign");
    assert_eq!(worker.action_started(&foreign, None, deadline()).await, Ok(Summary::default()));
    assert_eq!(worker.action_over(&foreign, Some("e"), deadline()).await, Ok(Summary::default()));
    assert_eq!(world.emulator.calls("PollForJobs"), 0);
    assert!(action.stopped.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_an_abandoned_action_is_stopped() {
    let world = world().await;
    let action = Noting::default();
    let summary = worker(&world, &action, 4).action_over(&test_type("One"), Some("execution"), deadline()).await;
    assert_eq!(summary, Ok(Summary { stopped: 1, ..Summary::default() }));
    let stopped = action.stopped.lock().unwrap();
    assert_eq!((stopped.len(), stopped[0].execution_id.as_str(), &stopped[0].token), (1, "execution", &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_can_t_be_stopped_makes_the_invocation_fail() {
    let world = world().await;
    let action = Noting { cannot_stop: true, ..Noting::default() };
    let error = worker(&world, &action, 4).action_over(&test_type("One"), Some("e"), deadline()).await.unwrap_err();
    let expected = InvocationError::NotStopped { execution_id: "e".into(), reason: "the service is away".into() };
    assert_eq!(error, expected);
}
