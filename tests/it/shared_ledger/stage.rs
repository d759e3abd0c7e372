//! A pipeline with one job of some kind, a ledger, an old deployment that has died, and the new one.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_codepipeline::types::{ActionExecution, ActionTypeId};
use codepipeline_local::api::read_connections;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::Settings;
use codepipeline_local::types::Timestamp;
use codepipeline_local::{JobInvocation, Options};
use codepipeline_worker::actions::{OnCrash, Served};
use codepipeline_worker::job;
use codepipeline_worker::ledger::{Key, Ledger, Listed};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::{Summary, Worker};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::format::Ids;
use super::recorder::Recorder;
use super::upgraded::{Ending, Upgraded};
use crate::support::{self, World, action, input, zip};

pub(super) const BUCKET: &str = "the-ledger";
pub(super) const CLIENT_TOKEN: &str = "the client's token";
/// The client in the fixtures of third-party jobs.
const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const A_MINUTE: Duration = Duration::from_secs(60);
pub(super) const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(900);
/// When the runs in the fixtures began.
const BEGAN: Duration = Duration::from_secs(1_768_469_402);

/// A kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Custom,
    ThirdParty,
    Invoke,
}

impl Kind {
    /// The action type of the job in the fixtures.
    pub(super) fn action_type(self) -> job::ActionTypeId {
        match self {
            Self::Custom => support::action_type("Test", "Custom", "Upgraded"),
            Self::ThirdParty => support::action_type("Test", "ThirdParty", "Partner"),
            Self::Invoke => support::action_type("Invoke", "AWS", "Lambda"),
        }
    }
}

/// A pipeline `p` whose action `A` has started, and a ledger, with a stopped clock.
pub(super) struct Stage {
    pub(super) kind: Kind,
    pub(super) world: World,
    pub(super) time: ManualClock,
    pub(super) action: Upgraded,
    pub(super) wire: Recorder,
    invoked: tokio::sync::Mutex<UnboundedReceiver<JobInvocation>>,
}

impl Stage {
    pub(super) async fn start(kind: Kind, ending: Ending) -> Self {
        let partner = json!({"category": "Test", "provider": "Partner", "version": "1"});
        let connection = json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": partner}]);
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let options = Options {
            // The worker of a Lambda Invoke job is adopted after its deadline, which is past the default of 20 minutes here.
            engine: Settings { invoke_timeout: Duration::from_secs(24 * 3600), ..Settings::default() },
            connections: Some(read_connections(&connection.to_string()).unwrap()),
            clock: time.clock(),
            ..Options::default()
        };
        let world = World::with(options).await;
        let invoked = world.emulator.job_invocations().into();
        world.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let job::ActionTypeId { category, owner, provider, .. } = kind.action_type();
        if kind == Kind::Custom {
            world.create_type(&category, &provider, &[]).await;
        }
        let mut act = action("A", &category, &owner, &provider).input_artifacts(input("Source"));
        if kind == Kind::Invoke {
            act = act.configuration("FunctionName", "worker");
        }
        world.create_pipeline("p", vec![("Test", vec![act])]).await;
        world.put_source(zip(&[("a", "b")])).await;
        world.start("p").await;
        world.until_begun("p", "A").await;
        let action = Upgraded::new(ending);
        Self { kind, world, time, action, wire: Recorder::new(), invoked }
    }

    pub(super) fn ledger(&self) -> Ledger {
        Ledger::new(&self.world.sdk_config, BUCKET.into())
    }

    /// The new deployment.
    pub(super) fn worker(&self, on_crash: OnCrash) -> Worker {
        let sdk_config = self.world.sdk_config.to_builder().http_client(self.wire.clone()).build();
        let lifecycle = Lifecycle {
            queue: Queue::new(&sdk_config, Some("clients/".to_owned())),
            ledger: Some(Ledger::new(&sdk_config, BUCKET.into())),
            wall_clock: Arc::new(|| UNIX_EPOCH + BEGAN),
            ..support::lifecycle(&sdk_config, self.world.work_folder())
        };
        let served = Served::new(self.kind.action_type(), A_MINUTE, self.action.clone()).on_crash(on_crash);
        Worker::new(lifecycle, vec![served], 4, A_MINUTE)
    }

    /// A scheduled invocation of the new deployment.
    pub(super) async fn tick(&self) -> Summary {
        // On the heap: without optimizations, the worker's futures are larger than a thread's stack.
        Box::pin(support::invoke(&self.worker(OnCrash::Fail))).await
    }

    /// Wakes the new deployment for a job: with an event for a Lambda Invoke job, otherwise with a tick.
    pub(super) async fn take_job(&self, worker: &Worker) -> Summary {
        match self.kind {
            Kind::Custom | Kind::ThirdParty => Box::pin(support::invoke(worker)).await,
            Kind::Invoke => {
                let event = self.event().await;
                Box::pin(worker.run_job(&event, Instant::now() + QUARTER_OF_AN_HOUR)).await.unwrap()
            }
        }
    }

    /// The event of the next Lambda Invoke job.
    async fn event(&self) -> Value {
        self.invoked.lock().await.recv().await.unwrap().event
    }

    /// Takes the job as an old deployment does that dies at once. `acknowledges` the job unless it came in an event.
    pub(super) async fn old_deployment_takes_job(&self, acknowledges: bool) -> Ids {
        let client = &self.world.codepipeline;
        let of_type = |given: job::ActionTypeId| {
            let id =
                ActionTypeId::builder().category(given.category.as_str().into()).owner(given.owner.as_str().into());
            id.provider(given.provider).version(given.version).build().unwrap()
        };
        let action_type = of_type(self.kind.action_type());
        match self.kind {
            Kind::Custom => {
                let polled = client.poll_for_jobs().action_type_id(action_type).send().await.unwrap();
                let offer = &polled.jobs()[0];
                let (job, nonce) = (offer.id().unwrap(), offer.nonce().unwrap());
                if acknowledges {
                    client.acknowledge_job().job_id(job).nonce(nonce).send().await.unwrap();
                }
                self.ids(job, offer.data().unwrap().pipeline_context())
            }
            Kind::ThirdParty => {
                let polled = client.poll_for_third_party_jobs().action_type_id(action_type).send().await.unwrap();
                let job = polled.jobs()[0].job_id().unwrap();
                let details = client.get_third_party_job_details().job_id(job).client_token(CLIENT_TOKEN);
                let details = details.send().await.unwrap().job_details.unwrap();
                if acknowledges {
                    let request = client.acknowledge_third_party_job().job_id(job).client_token(CLIENT_TOKEN);
                    request.nonce(details.nonce().unwrap()).send().await.unwrap();
                }
                self.ids(job, details.data().unwrap().pipeline_context())
            }
            Kind::Invoke => {
                let event = self.event().await;
                self.ids(event["CodePipeline.job"]["id"].as_str().unwrap(), None)
            }
        }
    }

    fn ids(&self, job: &str, context: Option<&aws_sdk_codepipeline::types::PipelineContext>) -> Ids {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ids {
            job: job.to_owned(),
            pipeline_execution: text(context.and_then(|it| it.pipeline_execution_id())),
            action_execution: text(context.and_then(|it| it.action()?.action_execution_id())),
        }
    }

    /// The key of the job's entry, spelled out, because the keys are part of the format.
    pub(super) fn key(&self, job: &str) -> String {
        let key = if self.kind == Kind::Invoke { format!("jobs/invoked/{job}") } else { format!("jobs/{job}") };
        let of_worker = if self.kind == Kind::Invoke { Key::invoked(job) } else { Key::polled(job) };
        assert_eq!(of_worker.as_str(), key, "the keys of entries have changed: an old deployment does not find these");
        key
    }

    /// Puts an object into the ledger as an old deployment wrote it.
    pub(super) async fn put(&self, job: &str, body: impl Into<Vec<u8>>) {
        let request = self.world.s3.put_object().bucket(BUCKET).key(self.key(job)).body(body.into().into());
        request.send().await.unwrap();
    }

    pub(super) async fn execution(&self) -> ActionExecution {
        self.world.action("p", "A").await.unwrap()
    }

    /// How many objects the ledger has, and how many of them are marks of finished jobs.
    pub(super) async fn entries(&self) -> (usize, usize) {
        let listed = self.ledger().list().await.unwrap();
        (listed.len(), listed.iter().filter(|it| Listed::is_done(it)).count())
    }
}
