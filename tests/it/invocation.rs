//! One invocation: how many jobs it takes at a time, when it stops polling, and that every claim is reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_codepipeline::types::ActionExecutionStatus;
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::artifacts::Stores;
use codepipeline_worker::job::{ActionTypeId, Failure, Finished, Outcome};
use codepipeline_worker::lifecycle::{End, Invocation, Lifecycle};
use codepipeline_worker::queue::Offer;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::time::Instant;

use crate::support::log::{logged, with_message};
use crate::support::{self, World, custom, invoke, sdk_config, shell, until, zip};

const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(900);

fn test_type(provider: &str) -> ActionTypeId {
    support::action_type("Test", "Custom", provider)
}

fn lifecycle(world: &World) -> Lifecycle {
    support::lifecycle(&world.sdk_config, world.work_folder())
}

fn worker(world: &World, served: Vec<Served>, concurrency: usize) -> Worker {
    Worker::new(lifecycle(world), served, concurrency, Duration::from_secs(60))
}

/// A pipeline `p` whose stage has `jobs` parallel actions `A0`, `A1`, … of the type `Test/Many`, all started.
async fn world_with_jobs(jobs: usize) -> World {
    let world = World::new().await;
    world.create_type("Test", "Many", &["Command"]).await;
    let actions = (0..jobs).map(|n| custom(&format!("A{n}"), "Test", "Many").configuration("Command", "true"));
    world.create_pipeline("p", vec![("Test", actions.collect())]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "A0").await;
    world
}

async fn offer(world: &World) -> Offer {
    let queue = Queue::new(&world.sdk_config, None);
    let mut offers = Vec::new();
    until(async || {
        offers = queue.poll(&test_type("Many"), None, 1).await.unwrap().offers;
        !offers.is_empty()
    })
    .await;
    offers.remove(0)
}

/// Ends when as many turns run at a time as the barrier needs. Notes the highest number of turns at a time.
#[derive(Clone)]
struct Together {
    barrier: Arc<Barrier>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Together {
    fn new(number: usize) -> Self {
        Self { barrier: Arc::new(Barrier::new(number)), now: Arc::default(), most: Arc::default() }
    }
}

impl Action for Together {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.barrier.wait().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(Outcome::Finished(Finished::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_fill_the_limit_and_free_room_is_polled_for() {
    let world = world_with_jobs(9).await;
    let together = Together::new(3);
    let served = Served::new(test_type("Many"), Duration::from_secs(60), together.clone());

    let summary = invoke(&worker(&world, vec![served], 3)).await;

    assert_eq!(summary, Summary { polled: 9, claimed: 9, succeeded: 9, ..Summary::default() });
    assert_eq!(together.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_runs_alone_runs_alone() {
    let world = world_with_jobs(5).await;
    let alone = Together::new(1);
    let served = Served::new(test_type("Many"), Duration::from_secs(60), alone.clone()).alone();

    let summary = invoke(&worker(&world, vec![served], 4)).await;

    assert_eq!(summary, Summary { polled: 5, claimed: 5, succeeded: 5, ..Summary::default() });
    assert_eq!(alone.most.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_without_enough_time_is_not_polled() {
    let world = world_with_jobs(1).await;
    let long = || Served::new(test_type("Many"), Duration::from_secs(600), Together::new(1));
    let deadline = Instant::now() + Duration::from_secs(300);

    let endless = Served::new(test_type("Many"), Duration::MAX, Together::new(1));
    for (served, needed) in [(long(), "needs 670 s"), (endless, "needs 3670 s")] {
        let worker = worker(&world, vec![served], 1);
        let (lines, summary) = logged(worker.invoke(deadline)).await;
        assert_eq!(summary, Ok(Summary { unpollable: 1, ..Summary::default() }));
        let lines = with_message(&lines, "can't be polled");
        assert_eq!((lines.len(), &lines[0]["actionType"]), (1, &json!("Custom/Test/Many/1")));
        assert!(lines[0]["error"].as_str().unwrap().contains(needed), "{lines:?}");
    }
    assert_eq!(world.emulator.calls("PollForJobs"), 0);
    let summary = worker(&world, vec![long()], 1).invoke(Instant::now() + QUARTER_OF_AN_HOUR).await.unwrap();
    assert_eq!(summary.succeeded, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_whose_poll_fails_does_not_stop_the_others() {
    let world = world_with_jobs(1).await;
    let deleted = || Served::new(test_type("Deleted"), Duration::from_secs(60), Together::new(1));
    let served = Served::new(test_type("Many"), Duration::from_secs(60), Together::new(1));

    let summary = invoke(&worker(&world, vec![deleted(), served], 4)).await;

    assert_eq!(summary, Summary { polled: 1, claimed: 1, succeeded: 1, unpollable: 1, ..Summary::default() });
}

#[tokio::test]
async fn an_invocation_fails_if_no_poll_is_answered() {
    let world = World::new().await;
    world.create_type("Test", "Many", &["Command"]).await;
    world.emulator.faults().add("PollForJobs:*:error".parse().unwrap());
    let served = Served::new(test_type("Many"), Duration::from_secs(60), Together::new(1));
    let error = worker(&world, vec![served], 4).invoke(Instant::now() + QUARTER_OF_AN_HOUR).await.unwrap_err();
    assert_eq!(error, InvocationError::NothingPolled(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_no_job_that_needs_files() {
    let world = world_with_jobs(1).await;
    world.create_type("Test", "Fileless", &[]).await;
    let served = || {
        let fileless = Served::new(test_type("Fileless"), Duration::from_secs(60), Fileless);
        vec![Served::new(test_type("Many"), Duration::from_secs(60), Together::new(1)), fileless]
    };
    let mut lifecycle = lifecycle(&world);
    lifecycle.min_free_bytes = u64::MAX;
    let full = Worker::new(lifecycle, served(), 4, Duration::from_secs(60));

    let (lines, summary) = logged(full.invoke(Instant::now() + QUARTER_OF_AN_HOUR)).await;

    assert_eq!(summary, Ok(Summary::default()));
    let lines = with_message(&lines, "took no job");
    assert_eq!((lines.len(), &lines[0]["minFreeBytes"]), (1, &json!(u64::MAX)));
    assert!(lines[0]["error"].as_str().unwrap().contains("MIN_FREE_BYTES"), "{lines:?}");
    // The type that needs no files is polled.
    assert_eq!(world.emulator.calls("PollForJobs"), 1);
    assert_eq!(invoke(&worker(&world, served(), 4)).await.succeeded, 1);
}

/// Needs no files.
struct Fileless;

impl Action for Fileless {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        unreachable!("it has no job")
    }

    fn wants_files(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_invocation_polls_each_type_once() {
    let world = World::new().await;
    world.create_type("Test", "Many", &["Command"]).await;
    let worker = world.worker(&json!([shell("Test", "Many")]));
    assert_eq!(invoke(&worker).await, Summary::default());
    assert_eq!(world.emulator.calls("PollForJobs"), 1);
}

#[tokio::test]
async fn the_last_log_line_has_the_responses_members() {
    let world = World::new().await;
    let deleted = Served::new(test_type("Deleted"), Duration::from_secs(60), Together::new(1));
    let worker = worker(&world, vec![deleted], 1);
    let (lines, summary) = logged(worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR)).await;
    let answer = serde_json::to_value(summary.unwrap()).unwrap();
    let line = lines.last().unwrap().as_object().unwrap();
    for (name, value) in answer.as_object().unwrap() {
        assert_eq!(line.get(name), Some(value), "{name}");
    }
    let others: Vec<_> = line.keys().filter(|name| answer.get(name).is_none()).collect();
    assert_eq!(others, ["durationMs", "level", "message", "target", "timestamp"]);
}

/// Panics with a message that must not show.
struct Panicking;

impl Action for Panicking {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        panic!("a secret was here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_reported_as_a_failure_without_its_message() {
    let world = world_with_jobs(1).await;
    let served = Served::new(test_type("Many"), Duration::from_secs(60), Panicking);

    let summary = invoke(&worker(&world, vec![served], 1)).await;

    assert_eq!(summary, Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() });
    let message = world.action("p", "A0").await.unwrap().error_details.unwrap().message.unwrap();
    assert!(message.starts_with("ActionPanicked: ") && !message.contains("secret"), "{message}");
}

/// Never ends.
struct Hanging;

impl Action for Hanging {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_outlasts_its_timeout_fails() {
    let world = world_with_jobs(1).await;
    let served = Served::new(test_type("Many"), Duration::from_millis(100), Hanging);

    let summary = invoke(&worker(&world, vec![served], 1)).await;

    assert_eq!(summary.failed, 1);
    let message = world.action("p", "A0").await.unwrap().error_details.unwrap().message.unwrap();
    assert!(message.starts_with("ActionTimeout: "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_staging_is_reported_in_time() {
    let world = world_with_jobs(1).await;
    let mut lifecycle = lifecycle(&world);
    // An S3 that accepts connections and never answers.
    let silence = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    lifecycle.stores = Stores::new(&sdk_config(&format!("http://{}", silence.local_addr().unwrap())));
    let served = Arc::new(Served::new(test_type("Many"), Duration::from_millis(100), Hanging));
    let offer = offer(&world).await;
    // Staging takes all of this, and the acknowledgement must fit into it on a slow machine, too. The worker gives up S3 after 10 s.
    let deadline = Instant::now() + lifecycle.reporting + Duration::from_secs(5);

    let end = lifecycle.live(offer, &served, Invocation::until(deadline)).await;

    assert_eq!(end, End::Failed);
    assert!(Instant::now() < deadline, "reported only after the deadline");
    let message = world.action("p", "A0").await.unwrap().error_details.unwrap().message.unwrap();
    // Staging has nearly all of the time, so either limit may come first.
    let limits = ["StagingTimeout: ", "InvocationDeadline: "];
    assert!(limits.iter().any(|limit| message.starts_with(limit)), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_enough_time_is_not_acknowledged() {
    let world = world_with_jobs(1).await;
    let lifecycle = lifecycle(&world);
    let served = Arc::new(Served::new(test_type("Many"), QUARTER_OF_AN_HOUR, Together::new(1)));

    let end =
        lifecycle.live(offer(&world).await, &served, Invocation::until(Instant::now() + QUARTER_OF_AN_HOUR)).await;

    assert_eq!(end, End::Lost);
    assert_eq!(world.emulator.calls("AcknowledgeJob"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_job_has_its_details_fetched_again() {
    let world = world_with_jobs(2).await;
    let lifecycle = lifecycle(&world);
    let served = Arc::new(Served::new(test_type("Many"), Duration::from_secs(60), Together::new(1)));
    let deadline = Instant::now() + QUARTER_OF_AN_HOUR;

    let fresh = offer(&world).await;
    assert_eq!(lifecycle.live(fresh, &served, Invocation::until(deadline)).await, End::Succeeded);
    assert_eq!(world.emulator.calls("GetJobDetails"), 0);

    let mut stale = offer(&world).await;
    stale.polled_at -= Duration::from_secs(6);
    assert_eq!(lifecycle.live(stale, &served, Invocation::until(deadline)).await, End::Succeeded);
    assert_eq!(world.emulator.calls("GetJobDetails"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_offer_is_not_acknowledged() {
    let world = world_with_jobs(1).await;
    let lifecycle = lifecycle(&world);
    let served = Arc::new(Served::new(test_type("Many"), Duration::from_secs(60), Together::new(1)));
    let mut old = offer(&world).await;
    old.polled_at -= Duration::from_secs(26);

    assert_eq!(lifecycle.live(old, &served, Invocation::until(Instant::now() + QUARTER_OF_AN_HOUR)).await, End::Lost);

    assert_eq!(world.emulator.calls("AcknowledgeJob"), 0);
    let status = world.action("p", "A0").await.unwrap().status;
    assert_eq!(status, Some(ActionExecutionStatus::InProgress));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ended_elsewhere_counts_as_over() {
    let world = world_with_jobs(1).await;
    let lifecycle = lifecycle(&world);
    /// Ends the job without the worker.
    struct Meddling(aws_sdk_codepipeline::Client);
    impl Action for Meddling {
        async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
            self.0.put_job_success_result().job_id(&turn.job.id).send().await.unwrap();
            Ok(Outcome::Finished(Finished::default()))
        }
    }
    let served =
        Arc::new(Served::new(test_type("Many"), Duration::from_secs(60), Meddling(world.codepipeline.clone())));

    let end =
        lifecycle.live(offer(&world).await, &served, Invocation::until(Instant::now() + QUARTER_OF_AN_HOUR)).await;

    assert_eq!(end, End::Over);
}

/// Notes the order of the actions' starts.
#[derive(Clone, Default)]
struct Noting(Arc<std::sync::Mutex<Vec<String>>>);

impl Action for Noting {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        self.0.lock().unwrap().push(turn.job.pipeline.action_name.clone().unwrap());
        Ok(Outcome::Finished(Finished::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_type_does_not_starve_one_that_runs_alone() {
    let world = World::new().await;
    world.create_type("Test", "Many", &[]).await;
    world.create_type("Test", "Alone", &[]).await;
    let mut actions: Vec<_> = (0..9).map(|n| custom(&format!("A{n}"), "Test", "Many")).collect();
    actions.push(custom("Alone", "Test", "Alone"));
    world.create_pipeline("p", vec![("Test", actions)]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Alone").await;
    let noting = Noting::default();
    let many = Served::new(test_type("Many"), Duration::from_secs(60), noting.clone());
    let alone = Served::new(test_type("Alone"), Duration::from_secs(60), noting.clone()).alone();

    let summary = invoke(&worker(&world, vec![many, alone], 2)).await;

    assert_eq!(summary.succeeded, 10, "{summary:?}");
    let order = noting.0.lock().unwrap().clone();
    let place = order.iter().position(|name| name == "Alone").unwrap();
    assert!(place <= 2, "{order:?}");
}
