//! Workers that die: whoever comes next brings their jobs to an end, once, and leaves those of the living alone.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecution, ActionExecutionStatus, ActionTypeId};
use codepipeline_local::Options;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::{Leniency, Settings};
use codepipeline_local::types::Timestamp;
use codepipeline_worker::actions::{Abandoned, Action, OnCrash, Run, Served};
use codepipeline_worker::job::{Failure, Finished, Origin, Outcome};
use codepipeline_worker::ledger::{Content, Entry, InvocationId, Key, Ledger, Phase, WriteId, Written};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use support::{World, custom, until, zip};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const BUCKET: &str = "the-ledger";
const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(900);
const A_MINUTE: Duration = Duration::from_secs(60);

/// Counts its runs. The first so many never end: whoever runs them is killed.
#[derive(Clone, Default)]
struct Deadly {
    kills: usize,
    runs: Arc<AtomicUsize>,
    stopped: Arc<AtomicUsize>,
}

impl Deadly {
    fn kills(kills: usize) -> Self {
        Self { kills, ..Self::default() }
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Action for Deadly {
    async fn start(&self, _: Run) -> Result<Outcome, Failure> {
        if self.runs.fetch_add(1, Ordering::SeqCst) < self.kills {
            std::future::pending::<()>().await;
        }
        Ok(Outcome::Finished(Finished { summary: Some("ran".into()), ..Finished::default() }))
    }

    async fn stop(&self, _: &Abandoned) -> Result<(), Failure> {
        self.stopped.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A pipeline `p` with one action `A` of the type `Test/Deadly`, begun, and a ledger, at a time that stands.
struct Scenario {
    world: World,
    time: ManualClock,
    action: Deadly,
}

impl Scenario {
    async fn start(action: Deadly) -> Self {
        Self::with(action, Settings::default()).await
    }

    async fn with(action: Deadly, engine: Settings) -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let world = World::with(Options { clock: time.clock(), engine, ..Options::default() }).await;
        world.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        world.create_type("Test", "Deadly", &[]).await;
        world.create_pipeline("p", vec![("Test", vec![custom("A", "Test", "Deadly")])]).await;
        world.put_source(zip(&[("a", "b")])).await;
        world.start("p").await;
        world.until_begun("p", "A").await;
        Self { world, time, action }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.world.shared, BUCKET.into())
    }

    fn worker(&self, serving: impl FnOnce(Served) -> Served) -> Worker {
        let lifecycle = Lifecycle {
            ledger: Some(self.ledger()),
            ..support::lifecycle(&self.world.shared, self.world.work_folder())
        };
        let served = Served::new(action_type(), Duration::from_secs(60), self.action.clone());
        Worker::new(lifecycle, vec![serving(served)], 4, Duration::from_secs(60))
    }

    /// A worker that has begun the action for the n-th time, and then is killed.
    async fn worker_that_dies(&self, serving: impl FnOnce(Served) -> Served, runs: usize) {
        let worker = self.worker(serving);
        let invocation: JoinHandle<_> =
            tokio::spawn(async move { worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await });
        until(async || self.action.runs() == runs || invocation.is_finished()).await;
        invocation.abort();
        assert!(invocation.await.unwrap_err().is_cancelled());
    }

    /// The next tick of the schedule.
    async fn tick(&self) -> Summary {
        support::invoke(&self.worker(|served| served)).await
    }

    async fn execution(&self) -> ActionExecution {
        self.world.action("p", "A").await.unwrap()
    }

    async fn status(&self) -> ActionExecutionStatus {
        self.execution().await.status.unwrap()
    }

    /// The job, polled by a worker that dies at once.
    async fn poll(&self) -> aws_sdk_codepipeline::types::Job {
        let id = ActionTypeId::builder().category("Test".into()).owner("Custom".into()).provider("Deadly").version("1");
        let poll = self.world.codepipeline.poll_for_jobs().action_type_id(id.build().unwrap());
        poll.send().await.unwrap().jobs.unwrap().remove(0)
    }

    async fn acknowledge(&self, job: &aws_sdk_codepipeline::types::Job) {
        let request = self.world.codepipeline.acknowledge_job();
        request.job_id(job.id().unwrap()).nonce(job.nonce().unwrap()).send().await.unwrap();
    }

    /// What a worker that dies writes into the ledger before it acknowledges.
    async fn claim(&self, job: &str) {
        self.claim_of(job, action_type()).await;
    }

    async fn claim_of(&self, job: &str, action_type: codepipeline_worker::job::ActionTypeId) {
        let entry = Entry {
            job: job.to_owned(),
            phase: Phase::Claiming,
            owner: InvocationId::random(),
            lease: Duration::from_secs(30),
            adoptions: 0,
            marked: false,
            inferred: false,
            origin: Origin::Polled,
            action_type,
            pipeline_execution_id: None,
            action_execution_id: None,
        };
        let written = self.ledger().write(&Key::polled(job), None, &entry, &WriteId::random()).await;
        assert!(matches!(written, Written::Yes(_)));
    }

    /// Whether the ledger holds nothing but marks of jobs that are done.
    async fn all_done(&self) -> bool {
        self.ledger().list().await.unwrap().iter().all(codepipeline_worker::ledger::Listed::is_done)
    }
}

fn action_type() -> codepipeline_worker::job::ActionTypeId {
    support::action_type("Test", "Custom", "Deadly")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_died_fails_when_its_lease_is_over_and_not_before() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    scenario.worker_that_dies(|served| served, 1).await;
    assert_eq!(scenario.tick().await, Summary::default());
    scenario.time.advance(QUARTER_OF_AN_HOUR);
    assert_eq!(scenario.tick().await, Summary::default(), "a lease is 10 s longer than its invocation");

    scenario.time.advance(Duration::from_secs(11));
    assert_eq!(scenario.tick().await, Summary { adopted: 1, claimed: 1, failed: 1, ..Summary::default() });
    let execution = scenario.execution().await;
    let message = execution.error_details().unwrap().message().unwrap();
    assert!(message.contains("the worker died while it ran the action"), "{message}");
    assert!(message.contains("onCrash is \"fail\""), "{message}");
    assert_eq!(scenario.action.runs(), 1);
    assert_eq!(scenario.action.stopped.load(Ordering::SeqCst), 1, "what it may have begun outside is stopped");
    assert!(scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_may_run_again_does_so_at_most_three_times() {
    for (kills, status) in [(3, ActionExecutionStatus::Succeeded), (4, ActionExecutionStatus::Failed)] {
        let scenario = Scenario::start(Deadly::kills(kills)).await;
        for run in 1..=kills {
            scenario.worker_that_dies(|served| served.on_crash(OnCrash::Run), run).await;
            scenario.time.advance(QUARTER_OF_AN_HOUR + Duration::from_secs(11));
        }
        let summary = support::invoke(&scenario.worker(|served| served.on_crash(OnCrash::Run))).await;
        assert_eq!((summary.adopted, summary.succeeded + summary.failed), (1, 1));
        assert_eq!(scenario.action.runs(), 4);
        assert_eq!(scenario.status().await, status);
        assert!(scenario.all_done().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_acknowledged_and_not_begun_is_run_by_the_fourth_tick() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.acknowledge(&job).await;
    for why in ["its worker may live", "it may be offered again", "it may have been offered just now, so it is marked"]
    {
        assert_eq!(scenario.tick().await, Summary::default(), "{why}");
        scenario.time.advance(A_MINUTE);
    }
    assert_eq!(scenario.tick().await, Summary { adopted: 1, claimed: 1, succeeded: 1, ..Summary::default() });
    assert_eq!((scenario.action.runs(), scenario.status().await), (1, ActionExecutionStatus::Succeeded));
    assert!(scenario.all_done().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_claimed_but_not_acknowledged_is_taken_when_it_is_offered_again() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.time.advance(A_MINUTE);
    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(scenario.tick().await, expected);
    assert_eq!((scenario.action.runs(), scenario.status().await), (1, ActionExecutionStatus::Succeeded));
}

/// Somebody polls just before: the job is hidden from the tick's own poll, and on offer all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_another_has_just_polled_is_not_adopted_though_it_is_old() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.time.advance(Duration::from_secs(600));
    scenario.poll().await;
    assert_eq!(scenario.tick().await, Summary::default());
    assert_eq!(scenario.action.runs(), 0);
    scenario.time.advance(A_MINUTE);
    let expected = Summary { polled: 1, claimed: 1, succeeded: 1, ..Summary::default() };
    assert_eq!(scenario.tick().await, expected, "its mark is taken over by whoever is offered the job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_brings_nothing_after_an_answer_that_got_lost_says_nothing() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    let id = job.id().unwrap();
    scenario.claim(id).await;
    scenario.time.advance(Duration::from_secs(600));
    let faults = scenario.world.emulator.faults();
    faults.add("PollForJobs:1:lose-answer".parse().unwrap());
    assert_eq!(scenario.tick().await, Summary::default());
    assert_eq!((faults.fired().len(), scenario.world.emulator.calls("PollForJobs")), (1, 3));
    let found = scenario.ledger().read(&Key::polled(id)).await.unwrap().unwrap();
    assert!(matches!(found.content, Content::Entry(entry, _) if !entry.marked), "it is on offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_nobody_can_adopt_keep_no_other_from_its_turn() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    for job in 0..60 {
        scenario.claim_of(&format!("unserved-{job}"), support::action_type("Test", "Custom", "Unserved")).await;
    }
    scenario.worker_that_dies(|served| served, 1).await;
    scenario.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    // 50 of 61 are looked at, drawn anew each time: forty draws that all miss one are as good as impossible.
    for _ in 0..40 {
        if scenario.tick().await.failed == 1 {
            return;
        }
    }
    panic!("the job was never looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_job_of_a_shared_type_is_left_to_its_other_workers() {
    let scenario = Scenario::start(Deadly::default()).await;
    let job = scenario.poll().await;
    scenario.claim(job.id().unwrap()).await;
    scenario.acknowledge(&job).await;
    for _ in 0..4 {
        scenario.time.advance(Duration::from_secs(600));
        let worker = scenario.worker(Served::shared);
        assert_eq!(support::invoke(&worker).await, Summary::default());
    }
    assert_eq!((scenario.action.runs(), scenario.status().await), (0, ActionExecutionStatus::InProgress));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_everybody_gets_is_decided_by_the_ledger() {
    let settings = Settings {
        reoffer_after: Some(Duration::ZERO),
        keep_nonce_on_reoffer: true,
        second_acknowledge: Leniency::Accept,
        ..Settings::default()
    };
    let scenario = Scenario::with(Deadly::default(), settings).await;
    let workers: Vec<_> = (0..4).map(|_| scenario.worker(|served| served)).collect();
    let ticks = workers.iter().map(|worker| worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR));
    let summaries: Vec<_> = futures_util::future::join_all(ticks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(summaries.iter().map(|summary| summary.succeeded).sum::<usize>(), 1, "{summaries:?}");
    assert_eq!(scenario.action.runs(), 1);
    assert_eq!(scenario.world.emulator.calls("PutJobSuccessResult"), 1);
    assert_eq!(scenario.world.emulator.calls("PutJobFailureResult"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_tick_costs_one_poll_of_each_type_and_one_listing() {
    let scenario = Scenario::start(Deadly::default()).await;
    scenario.tick().await;
    let before = scenario.world.emulator.operations().len();
    scenario.tick().await;
    assert_eq!(scenario.world.emulator.operations()[before..], ["PollForJobs", "ListObjectsV2"]);
    scenario.time.advance(Duration::from_secs(3601));
    scenario.tick().await;
    assert_eq!(scenario.world.emulator.operations()[before + 2..], ["PollForJobs", "ListObjectsV2", "DeleteObjects"]);
    assert!(scenario.ledger().list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_ledger_a_worker_takes_no_job_and_says_so() {
    let scenario = Scenario::start(Deadly::default()).await;
    scenario.world.s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
    let worker = scenario.worker(|served| served);
    let error = worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await.unwrap_err();
    assert_eq!(error, InvocationError::NoLedger(1));
    assert_eq!(scenario.world.emulator.calls("AcknowledgeJob"), 0);
    assert_eq!(scenario.action.runs(), 0);
}
