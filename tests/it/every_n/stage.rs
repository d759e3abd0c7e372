//! One run: a worker, its services, and the time that passes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_codepipeline::types::{ArtifactStore, ArtifactStoreType, PipelineDeclaration, StageDeclaration};
use codepipeline_local::api::read_connections;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::types::Timestamp;
use codepipeline_local::{JobInvocation, Options};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::process::{Process, Woken};
use super::scenario::Scenario;
use super::wire::{Kind, Passed, Services, Watching, Wire};
use crate::state_machine::fake::Fake;
use crate::support::aws_json::AwsJson;
use crate::support::{ROLE, SOURCE_BUCKET, STORE, World, action, output, sdk_config};

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT_TOKEN: &str = "client-token";
const RESULTS: &str = "results";
pub(crate) const LEDGER: &str = "ledger";

/// The time between two invocations. A re-offer or the end of a lease takes a few of these.
const TICK: Duration = Duration::from_secs(180);
/// A job whose worker died is adopted after the deadline of its invocation, which takes 6 ticks. The service waits
/// longer for a Lambda function: 20 minutes.
const MOST_TICKS: usize = 14;
/// The ledger forgets a job after at most 7 hours.
const UNTIL_MARKS_GO: Duration = Duration::from_secs(8 * 60 * 60);

/// A worker and everything around it.
pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) fault: Option<(usize, Kind)>,
    pub(crate) world: Arc<World>,
    time: ManualClock,
    pub(crate) wire: Wire,
    process: Process,
    pub(crate) machines: Fake,
    _secrets: AwsJson,
    pub(crate) ran: PathBuf,
    invoked: UnboundedReceiver<JobInvocation>,
    events: UnboundedReceiver<Value>,
    /// Events that the worker has not received yet.
    abandoned: Vec<Value>,
    over: bool,
    pub(crate) execution: String,
}

/// Runs the scenario with the fault, and returns its requests.
///
/// # Errors
///
/// What did not end as it should.
pub(crate) async fn run(scenario: Scenario, fault: Option<(usize, Kind)>) -> Result<Vec<Passed>, String> {
    let mut stage = Stage::new(scenario, fault).await;
    for ticks in 1.. {
        stage.tick().await;
        if stage.is_over() && stage.unfinished().await == 0 {
            break;
        }
        if ticks == MOST_TICKS {
            return Err(format!("not over after {MOST_TICKS} ticks\n{}", stage.story()));
        }
    }
    stage.time.advance(UNTIL_MARKS_GO);
    // One tick, or two if its sweeping fails.
    for ticks in 1.. {
        stage.tick().await;
        if stage.entries().await.is_empty() {
            break;
        }
        if ticks == 2 {
            return Err(format!("the ledger is not empty in the end\n{}", stage.story()));
        }
    }
    stage.check().await.map_err(|wrong| format!("{wrong}\n{}", stage.story()))?;
    Ok(stage.wire.passed())
}

impl Stage {
    async fn new(scenario: Scenario, fault: Option<(usize, Kind)>) -> Self {
        let partner = json!({
            "category": "Test", "provider": "Partner", "version": "1",
            "configurationProperties": [{"name": "Command", "required": true, "key": true, "secret": false}]
        });
        let connection = json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": partner}]);
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let options = Options {
            engine: scenario.settings(),
            connections: Some(read_connections(&connection.to_string()).unwrap()),
            clock: time.clock(),
            ..Options::default()
        };
        let mut world = World::with(options).await;
        let plain = without_tls(&world.sdk_config);
        world.local.codepipeline = aws_sdk_codepipeline::Client::new(&plain);
        let s3 = aws_sdk_s3::config::Builder::from(&plain).force_path_style(true).build();
        world.local.s3 = aws_sdk_s3::Client::from_conf(s3);
        let world = Arc::new(world);
        let machines = Fake::start().await;
        let secrets = AwsJson::start(|_, _| Ok(json!({"SecretString": CLIENT_TOKEN}))).await;
        let at = |endpoint: &str| endpoint.trim_start_matches("http://").parse().unwrap();
        let services = Services {
            emulator: at(&world.emulator.endpoint()),
            step_functions: at(machines.config.endpoint_url().unwrap()),
            secrets_manager: at(secrets.endpoint()),
        };
        let wire = Wire::start(services, fault, watching(scenario, &time, &world)).await;

        let deadly = fault.is_some_and(|(_, kind)| kind.kills());
        let through = without_tls(&sdk_config(&wire.endpoint()));
        let making = {
            let (world, actions) = (Arc::clone(&world), json!([scenario.entry()]));
            move || {
                let variables = [("CLIENT_TOKENS_SECRET", "clients/"), ("LEDGER_BUCKET", LEDGER)];
                codepipeline_worker::worker(world.config(&actions, &variables), Vec::new(), &through)
            }
        };
        let process = Process::new(Box::new(making), deadly);
        let ran = world.folder.path().join("ran");
        let mut stage = Self {
            scenario,
            fault,
            invoked: world.emulator.job_invocations(),
            events: world.emulator.events(),
            abandoned: Vec::new(),
            over: false,
            world,
            time,
            wire,
            process,
            machines,
            _secrets: secrets,
            ran,
            execution: String::new(),
        };
        stage.begin().await;
        stage
    }

    async fn begin(&mut self) {
        let world = Arc::clone(&self.world);
        let mut buckets = vec![SOURCE_BUCKET, LEDGER];
        let mut objects = vec![(SOURCE_BUCKET, "Source")];
        match self.scenario {
            Scenario::Custom => objects.push((SOURCE_BUCKET, "More")),
            Scenario::Continued | Scenario::Abandoned => {
                buckets.push(RESULTS);
                objects.push((RESULTS, "First"));
            }
            _ => {}
        }
        for bucket in buckets {
            world.s3.create_bucket().bucket(bucket).send().await.unwrap();
        }
        for (bucket, key) in &objects {
            let content = self.scenario.object(key);
            world.s3.put_object().bucket(*bucket).key(*key).body(content.into()).send().await.unwrap();
        }
        match self.scenario {
            Scenario::Continued | Scenario::Abandoned => world.create_type("Deploy", "Machine", &[]).await,
            Scenario::ThirdParty | Scenario::ThirdPartyFailing | Scenario::Invoked => {}
            _ => world.create_type("Build", "Shell", &["Command"]).await,
        }
        let source = |name: &str| {
            let source = action(name, "Source", "AWS", "S3").output_artifacts(output(name));
            source.configuration("S3Bucket", SOURCE_BUCKET).configuration("S3ObjectKey", name).build().unwrap()
        };
        let act = self.scenario.action(self.ran.to_str().unwrap()).build().unwrap();
        let sources =
            objects.iter().filter(|(bucket, _)| *bucket == SOURCE_BUCKET).map(|(_, key)| source(key)).collect();
        let first = StageDeclaration::builder().name("Source").set_actions(Some(sources));
        let second = StageDeclaration::builder().name("Act").actions(act);
        let store = ArtifactStore::builder().r#type(ArtifactStoreType::S3).location(STORE).build().unwrap();
        let pipeline = PipelineDeclaration::builder()
            .name("p")
            .role_arn(ROLE)
            .artifact_store(store)
            .stages(first.build().unwrap())
            .stages(second.build().unwrap());
        world.codepipeline.create_pipeline().pipeline(pipeline.build().unwrap()).send().await.unwrap();
        self.execution = world.start("p").await;
    }

    /// Whether the pipeline's execution has ended, according to its events. Asking would cost a request each time.
    fn is_over(&mut self) -> bool {
        while let Ok(event) = self.events.try_recv() {
            let of_pipeline = event["detail-type"] == "CodePipeline Pipeline Execution State Change";
            self.over |= of_pipeline && event["detail"]["state"] != "STARTED";
            if !of_pipeline && event["detail"]["state"] == "ABANDONED" && event["detail"]["action"] == "Act" {
                self.abandoned.push(event);
            }
        }
        self.over
    }

    /// Runs everything that is due, and lets the time to the next tick pass. The invocation's own result does not
    /// count: with a fault, it may fail so that an operator looks at it.
    async fn tick(&mut self) {
        while let Ok(job) = self.invoked.try_recv() {
            self.invoke(Woken::Job(job.event)).await;
        }
        for event in std::mem::take(&mut self.abandoned) {
            // Lambda sends an event again when its invocation failed (Lambda Developer Guide, "How Lambda handles
            // errors and retries with asynchronous invocation").
            let woken = Woken::Abandonment(event);
            if !self.invoke(woken.clone()).await {
                self.invoke(woken).await;
            }
        }
        self.invoke(Woken::Schedule).await;
        if self.scenario == Scenario::Continued {
            self.machines.get_on();
        }
        // A request of a dead worker arrives within moments, and not after a tick.
        self.wire.settled().await;
        self.time.advance(TICK);
    }

    async fn invoke(&mut self, woken: Woken) -> bool {
        let invocation = self.process.invoke(woken);
        tokio::select! {
            is_ok = invocation => is_ok,
            () = self.wire.strikes_dead() => {
                self.process.die();
                false
            }
        }
    }
}

/// Changes the world when some requests pass.
fn watching(scenario: Scenario, time: &ManualClock, world: &Arc<World>) -> Watching {
    let (time, world, begun) = (time.clone(), Arc::clone(world), AtomicBool::new(false));
    Box::new(move |what| {
        match (scenario, what) {
            (Scenario::Expiring, "AcknowledgeJob") => time.advance(Duration::from_secs(5)),
            (Scenario::Abandoned, "DescribeExecution") if !begun.swap(true, Ordering::SeqCst) => {
                let world = Arc::clone(&world);
                return Box::pin(async move { world.abandon("p").await });
            }
            _ => {}
        }
        Box::pin(std::future::ready(()))
    })
}

impl World {
    /// Stops the pipeline's execution without waiting for its actions.
    async fn abandon(&self, pipeline: &str) {
        let listed = self.codepipeline.list_pipeline_executions().pipeline_name(pipeline).send().await.unwrap();
        let id = listed.pipeline_execution_summaries()[0].pipeline_execution_id().unwrap().to_owned();
        let stop = self.codepipeline.stop_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id);
        stop.abandon(true).send().await.unwrap();
    }
}

impl Fake {
    /// The execution ends after a look found it running.
    fn get_on(&self) {
        if let Some(looked_at) = self.calls("DescribeExecution").first() {
            let name = looked_at["executionArn"].as_str().unwrap().rsplit(':').next().unwrap();
            let artifacts = json!({"First": {"bucket": RESULTS, "key": "First"}});
            self.succeed(name, &json!({"summary": "done", "outputVariables": {"A": "b"}, "artifacts": artifacts}));
        }
    }
}

/// The same configuration with clients that speak only HTTP. Clients that speak HTTPS read the system's certificates
/// first, which takes half of a run's time.
fn without_tls(sdk_config: &SdkConfig) -> SdkConfig {
    sdk_config.to_builder().http_client(aws_smithy_http_client::Builder::new().build_http()).build()
}
