//! The condition of each alarm on the worker's own metrics, and the value that the worker writes. The conditions that need a worker
//! death are in `recovery/alarms.rs`, and the one about client tokens is in `third_party/tokens.rs`.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use codepipeline_local::runtime_api::Invocation;
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{ActionTypeId, Failure, Finished, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Patience, Worker};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::log::read_line;
use crate::support::metrics::{Written, now, values};
use crate::support::{self, World, custom, output, shell, zip};

/// Finishes at once.
struct Done;

impl Action for Done {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Ok(Outcome::Finished(Finished::default()))
    }
}

fn action_type() -> ActionTypeId {
    support::action_type("Test", "Custom", "Done")
}

/// A pipeline `p` whose action `Act` of the type `Test/Done` has started.
async fn world() -> World {
    world_with(custom("Act", "Test", "Done")).await
}

async fn world_with(action: ActionDeclarationBuilder) -> World {
    let world = World::new().await;
    world.create_type("Test", "Done", &[]).await;
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    world
}

fn with_fault(world: World, fault: &str) -> World {
    world.emulator.faults().add(fault.parse().unwrap());
    world
}

fn worker(world: &World, change: impl FnOnce(&mut Lifecycle)) -> (Worker, Written) {
    let mut lifecycle = support::lifecycle(&world.sdk_config, world.work_folder());
    change(&mut lifecycle);
    let served = vec![Served::new(action_type(), Duration::from_secs(60), Done)];
    let worker = Worker::new(lifecycle, served, 4, Duration::from_secs(60));
    Written::by(worker.patience(Patience { tries: 3, step: Duration::ZERO }))
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(900)
}

/// Advances the clock between two invocations. Sockets don't work while it is paused.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn type_that_cannot_be_polled_is_counted() {
    let world = with_fault(world().await, "PollForJobs:*:deny");
    let (worker, written) = worker(&world, |_| {});
    assert_eq!(worker.invoke(deadline()).await.unwrap().unpollable, 1);
    assert_eq!(written.values("UnpollableTypes"), [1]);
}

#[tokio::test]
async fn type_that_stays_throttled_is_counted() {
    let world = with_fault(world().await, "PollForJobs:*:throttle");
    let (worker, written) = worker(&world, |_| {});
    for pause in [0, 240, 60] {
        later(Duration::from_secs(pause)).await;
        assert_eq!(worker.invoke(deadline()).await.unwrap().throttled_polls, 1);
    }
    assert_eq!(written.values("PollsThrottled"), [1, 1, 1]);
    assert_eq!(written.values("ThrottledTypes"), [1], "only after five minutes");
}

#[tokio::test]
async fn unanswered_poll_is_counted() {
    let world = with_fault(world().await, "PollForJobs:*:error");
    let (worker, written) = worker(&world, |_| {});
    assert_eq!(worker.invoke(deadline()).await, Err(InvocationError::NothingPolled(1)));
    assert_eq!(written.values("PollsFailed"), [1]);
}

#[tokio::test]
async fn denied_job_is_counted() {
    let world = with_fault(world().await, "AcknowledgeJob:*:deny");
    let (worker, written) = worker(&world, |_| {});
    let Err(InvocationError::Denied(jobs)) = worker.invoke(deadline()).await else { panic!("the job was taken") };
    let denied = written.values("JobsDenied");
    assert!(denied.len() == jobs && denied.iter().all(|value| *value == 1), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn undelivered_job_is_counted() {
    let world = with_fault(world().await, "PutJobSuccessResult:*:deny");
    let (worker, written) = worker(&world, |_| {});
    let expected = InvocationError::Unreported { unreported: 1, unknown: 0 };
    assert_eq!(worker.invoke(deadline()).await, Err(expected));
    assert_eq!((written.values("JobsUndelivered"), written.values("JobsSucceeded")), (vec![1], vec![]));
}

#[tokio::test]
async fn full_disk_is_counted() {
    let world = world().await;
    let (worker, written) = worker(&world, |lifecycle| lifecycle.min_free_bytes = u64::MAX);
    worker.invoke(deadline()).await.unwrap();
    assert_eq!(written.values("LowDisk"), [1]);
    assert!(written.values("FreeDiskBytes")[0] > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_schedule_makes_ticks() {
    let world = world().await;
    let (worker, written) = worker(&world, |_| {});
    worker.action_started(&action_type(), None, None, deadline()).await.unwrap();
    worker.work_ended(deadline()).await.unwrap();
    assert_eq!(written.values("Ticks"), [0; 0]);
    worker.invoke(deadline()).await.unwrap();
    assert_eq!((written.values("Ticks"), written.values("ColdStarts")), (vec![1], vec![1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_to_claim_counts_from_the_event_of_that_action() {
    let started = now() - Duration::from_secs(3);
    for is_the_same in [true, false] {
        let world = world().await;
        let id = world.action("p", "Act").await.unwrap().action_execution_id.unwrap();
        let id = if is_the_same { &id } else { "another" };
        let (worker, written) = worker(&world, |lifecycle| lifecycle.wall_clock = Arc::new(now));
        let summary = worker.action_started(&action_type(), Some(id), Some(started), deadline()).await.unwrap();
        assert_eq!(summary.succeeded, 1, "{id}");
        let expected: &[u64] = if is_the_same { &[3000] } else { &[] };
        assert_eq!(written.values("TimeToClaimMs"), expected, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn job_without_artifacts_has_no_staging_times() {
    let world = world_with(custom("Act", "Test", "Done").set_input_artifacts(None)).await;
    let (worker, written) = worker(&world, |_| {});
    assert_eq!(worker.invoke(deadline()).await.unwrap().succeeded, 1);
    let values = ["ActionMs", "StagingInMs", "StagingOutMs"].map(|metric| written.values(metric).len());
    assert_eq!(values, [1, 0, 0]);
}

/// The lines of the real function, for one tick with one job.
async fn printed(variables: &[(&str, &str)]) -> Vec<Value> {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let command = "echo 12345 > \"$OUTPUT_OUT/file\"";
    let action = custom("Act", "Test", "Shell").configuration("Command", command).output_artifacts(output("Out"));
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "1234567")])).await;
    world.start("p").await;
    world.until_begun("p", "Act").await;
    let actions = json!([shell("Test", "Shell")]);
    let (function, mut log) = support::function(&world, &actions, variables);
    let event = serde_json::from_str(include_str!("../../events/schedule.json")).unwrap();
    let invocation = function.invoke(&event).await.unwrap();
    function.stop().await;
    let mut lines = Vec::new();
    while let Some(line) = log.recv().await {
        lines.push(read_line(&line));
    }
    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}\n{lines:?}") };
    assert_eq!(summary["succeeded"], 1, "{lines:?}");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn job_and_invocation_print_one_line_each() {
    let lines = printed(&[("METRICS_NAMESPACE", "team/worker")]).await;
    let metrics: Vec<_> = lines.iter().filter(|line| line["_aws"].is_object()).collect();
    let [job, invocation] = metrics[..] else { panic!("{metrics:?}") };
    for metric in ["JobsSucceeded", "ActionMs", "StagingInMs", "StagingOutMs"] {
        assert_eq!(values(&lines, metric).len(), 1, "{metric}: {job}");
    }
    assert_eq!((values(&lines, "StagingInBytes"), values(&lines, "Ticks")), (vec![7], vec![1]));
    assert!(values(&lines, "StagingOutBytes")[0] > 0, "{job}");
    let directive = &job["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (&json!("team/worker"), &json!([[], ["ActionType"]]))
    );
    assert_eq!(
        (&job["ActionType"], &job["pipeline"], &job["action"]),
        (&json!("Custom/Test/Shell/1"), &json!("p"), &json!("Act"))
    );
    assert_eq!((&invocation["ColdStarts"], &invocation["level"]), (&json!(1), &json!("INFO")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_printed_if_metrics_are_off() {
    let lines = printed(&[("METRICS", "false")]).await;
    assert!(lines.len() > 3 && lines.iter().all(|line| line["_aws"].is_null()), "{lines:?}");
}
