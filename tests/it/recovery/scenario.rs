//! A pipeline with one job, workers that die while they run it, and a ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecution, ActionExecutionStatus, ActionTypeId};
use codepipeline_local::Options;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::Settings;
use codepipeline_local::types::Timestamp;
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Failure, Finished, Origin, Outcome};
use codepipeline_worker::ledger::{Entry, InvocationId, Key, Ledger, Phase, WriteId, WriteResult};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{Summary, Worker};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::{self, World, custom, until, zip};

pub(crate) const BUCKET: &str = "the-ledger";
pub(crate) const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(900);
pub(crate) const A_MINUTE: Duration = Duration::from_secs(60);

/// Counts its runs. The first so many never end, and their workers are killed.
#[derive(Clone, Default)]
pub(crate) struct Deadly {
    pub(crate) kills: usize,
    pub(crate) runs: Arc<AtomicUsize>,
    pub(crate) stopped: Arc<AtomicUsize>,
}

impl Deadly {
    pub(crate) fn kills(kills: usize) -> Self {
        Self { kills, ..Self::default() }
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Action for Deadly {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
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

/// A pipeline `p` whose action `A` of the type `Test/Deadly` has started, and a ledger, with a stopped clock.
pub(crate) struct Scenario {
    pub(crate) world: World,
    pub(crate) time: ManualClock,
    pub(crate) action: Deadly,
}

impl Scenario {
    pub(crate) async fn start(action: Deadly) -> Self {
        Self::with(action, Settings::default()).await
    }

    pub(crate) async fn with(action: Deadly, engine: Settings) -> Self {
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

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(&self.world.sdk_config, BUCKET.into())
    }

    pub(crate) fn worker(&self, serving: impl FnOnce(Served) -> Served) -> Worker {
        let lifecycle = Lifecycle {
            ledger: Some(self.ledger()),
            ..support::lifecycle(&self.world.sdk_config, self.world.work_folder())
        };
        self.worker_of(lifecycle, serving)
    }

    pub(crate) fn worker_of(&self, lifecycle: Lifecycle, serving: impl FnOnce(Served) -> Served) -> Worker {
        let served = Served::new(action_type(), A_MINUTE, self.action.clone());
        Worker::new(lifecycle, vec![serving(served)], 4, A_MINUTE)
    }

    /// Starts the action for the n-th time in a worker, and kills that worker.
    pub(crate) async fn worker_that_dies(&self, serving: impl FnOnce(Served) -> Served, runs: usize) {
        let worker = self.worker(serving);
        let invocation: JoinHandle<_> =
            tokio::spawn(async move { worker.invoke(Instant::now() + QUARTER_OF_AN_HOUR).await });
        until(async || self.action.runs() == runs || invocation.is_finished()).await;
        invocation.abort();
        assert!(invocation.await.unwrap_err().is_cancelled());
    }

    /// The next tick of the schedule.
    pub(crate) async fn tick(&self) -> Summary {
        support::invoke(&self.worker(|served| served)).await
    }

    pub(crate) async fn execution(&self) -> ActionExecution {
        self.world.action("p", "A").await.unwrap()
    }

    pub(crate) async fn status(&self) -> ActionExecutionStatus {
        self.execution().await.status.unwrap()
    }

    /// Polls the job in a worker that dies at once.
    pub(crate) async fn poll(&self) -> aws_sdk_codepipeline::types::Job {
        let id = ActionTypeId::builder().category("Test".into()).owner("Custom".into()).provider("Deadly").version("1");
        let poll = self.world.codepipeline.poll_for_jobs().action_type_id(id.build().unwrap());
        poll.send().await.unwrap().jobs.unwrap().remove(0)
    }

    pub(crate) async fn acknowledge(&self, job: &aws_sdk_codepipeline::types::Job) {
        let request = self.world.codepipeline.acknowledge_job();
        request.job_id(job.id().unwrap()).nonce(job.nonce().unwrap()).send().await.unwrap();
    }

    /// Writes the claim of a worker that dies before the acknowledgement.
    pub(crate) async fn claim(&self, job: &str) {
        self.claim_of(job, action_type()).await;
    }

    pub(crate) async fn claim_of(&self, job: &str, action_type: codepipeline_worker::job::ActionTypeId) {
        self.write(Self::claimed(job, action_type)).await;
    }

    /// Writes the entry of a worker that infers the job's acknowledgement, starts its action, and dies.
    pub(crate) async fn hold_inferred(&self, job: &str) {
        self.write(Entry { phase: Phase::Held, inferred: true, ..Self::claimed(job, action_type()) }).await;
    }

    fn claimed(job: &str, action_type: codepipeline_worker::job::ActionTypeId) -> Entry {
        Entry {
            job: job.to_owned(),
            phase: Phase::Claiming,
            owner: InvocationId::random(),
            lease: Duration::from_secs(30),
            adoptions: 0,
            marked: false,
            inferred: false,
            origin: Origin::Polled,
            action_type,
            pipeline: None,
            pipeline_execution_id: None,
            stage: None,
            action: None,
            action_execution_id: None,
        }
    }

    async fn write(&self, entry: Entry) {
        let written = self.ledger().write(&Key::polled(&entry.job), None, &entry, &WriteId::random()).await;
        assert!(matches!(written, WriteResult::Written(_)));
    }

    /// Whether the ledger holds only marks of finished jobs.
    pub(crate) async fn all_done(&self) -> bool {
        self.ledger().list().await.unwrap().iter().all(codepipeline_worker::ledger::Listed::is_done)
    }
}

pub(crate) fn action_type() -> codepipeline_worker::job::ActionTypeId {
    support::action_type("Test", "Custom", "Deadly")
}
