//! The pipelines, the worker that serves them, and the actions of their owner.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use codepipeline_local::api;
use codepipeline_local::types::ObjectRef;
use codepipeline_worker::actions::{OnCrash, Served};
use codepipeline_worker::artifacts::{Stores, UnpackLimits};
use codepipeline_worker::job::ActionTypeId;
use codepipeline_worker::ledger::Ledger;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::metrics::Metrics;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::{Patience, Worker};
use serde_json::{Value, json};

use crate::codepipeline::{self, owner};
use crate::lambda::{Waking, wake_after};
use crate::lock;
use crate::lot::Protection;
use crate::network::Wire;
use crate::service::client_token;
use crate::trace::MARKER;
use crate::work::Work;
use crate::world::World;

/// The content of the source.
pub(crate) const SOURCE: &str = "the source";
/// The artifact store's bucket.
pub(crate) const STORE: &str = "artifact-store";
/// The ledger's bucket.
pub(crate) const LEDGER: &str = "ledger";
/// The access key id of the function's own credentials.
pub(crate) const FUNCTIONS_KEY: &str = "AKIAFUNCTION";

/// How many minutes lie between two ticks in the calm. The promises need workers that keep coming, at any interval.
const CALM_EVERY: usize = 3;
/// How many ticks follow the calm, and how many minutes lie between them.
const SWEEPS: u64 = 10;
const SWEEP_EVERY: u64 = 50;

const PIPELINES: [&str; 2] = ["one", "two"];

/// An action type of this world.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    category: &'static str,
    owner: &'static str,
    provider: &'static str,
    /// Whether the action works on files.
    pub(crate) files: bool,
    /// Whether the action may continue.
    pub(crate) continues: bool,
    /// The treatment of jobs whose worker died.
    pub(crate) on_crash: OnCrash,
    /// Whether its jobs run alone in their invocation, as commands do. Each world draws it again.
    pub(crate) alone: bool,
    /// The longest time of a turn in seconds, and the timeout.
    pub(crate) longest: u64,
}

/// Each world has three of these.
const KINDS: [Kind; 6] = [
    kind("Test", "Custom", "Quick", 5),
    kind("Deploy", "Custom", "Long", 70),
    Kind { files: true, ..kind("Build", "Custom", "Files", 20) },
    Kind { continues: true, on_crash: OnCrash::Run, ..kind("Test", "Custom", "Continuing", 15) },
    Kind { continues: true, on_crash: OnCrash::Run, ..kind("Build", "ThirdParty", "Partner", 15) },
    Kind { continues: true, on_crash: OnCrash::Run, ..kind("Invoke", "AWS", "Lambda", 30) },
];

/// The only action type under a load, which sets its timeout.
pub(crate) const COMMAND: Kind = Kind { files: true, alone: true, ..kind("Test", "Custom", "Shell", 600) };

const fn kind(category: &'static str, owner: &'static str, provider: &'static str, longest: u64) -> Kind {
    Kind { category, owner, provider, files: false, continues: false, on_crash: OnCrash::Fail, alone: false, longest }
}

impl Kind {
    fn id(self) -> Value {
        json!({"category": self.category, "owner": self.owner, "provider": self.provider, "version": "1"})
    }
}

/// Whether the provider's jobs have files to stage.
pub(crate) fn stages_files(provider: &str) -> bool {
    KINDS.iter().chain([&COMMAND]).any(|kind| kind.files && kind.provider == provider)
}

/// The action types of this world.
fn kinds(world: &World) -> Vec<Kind> {
    if let Some(load) = world.lot.load {
        return vec![Kind { longest: load.command_timeout, ..COMMAND }];
    }
    let first = world.random("kinds").range(0, 19) as usize;
    // Every choice of three of the six is a rotation of one of four patterns. Two of these look the same three times.
    let pattern = [[0, 1, 2], [0, 1, 3], [0, 2, 3], [0, 2, 4]][first / 6];
    let drawn = |place: usize| {
        let kind = KINDS[(place + first % 6) % 6];
        Kind { alone: world.random(&format!("{} alone", kind.provider)).chance(500), ..kind }
    };
    pattern.map(drawn).into()
}

/// A worker process.
pub(crate) fn worker(world: &Arc<World>, process: usize, folder: &Path) -> Worker {
    let mut random = world.random(&format!("process {process}"));
    let most = world.lot.clock_error * 1000;
    let wrong_by = random.range(0, 2 * most).cast_signed() - most.cast_signed();
    let clock = world.clock.wrong_by(wrong_by);
    let credentials = Credentials::new(FUNCTIONS_KEY, format!("{MARKER}-function"), None, None, "simulation");
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://aws.invalid")
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Wire { world: Arc::clone(world), process })
        .time_source(clock)
        .sleep_impl(TokioSleep::new())
        .build();
    let lifecycle = Lifecycle {
        queue: Queue::new(&shared, Some("clients/".to_owned())),
        ledger: (world.lot.protection == Protection::Ledger).then(|| Ledger::new(&shared, LEDGER.to_owned())),
        stores: Stores::new(&shared),
        unpacking: UnpackLimits { max_unpacked_bytes: 1 << 20, max_entries: 100 },
        work_folder: folder.to_owned(),
        clean: None,
        min_free_bytes: 0,
        metrics: Metrics::off(),
        reporting: Duration::from_secs(10),
        wall_clock: Arc::new(move || clock.wall()),
    };
    let serve = |kind: Kind| {
        let [category, owner, provider, version] = [kind.category, kind.owner, kind.provider, "1"].map(str::to_owned);
        let id = ActionTypeId { category, owner, provider, version };
        let work = Work { world: Arc::clone(world), process, kind };
        let served =
            Served::new(id, Duration::from_secs(kind.longest), work).secrets(["Secret"]).on_crash(kind.on_crash);
        if kind.alone { served.alone() } else { served }
    };
    let served = kinds(world).into_iter().map(serve).collect();
    if world.lot.load.is_some() {
        return Worker::new(lifecycle, served, world.lot.jobs_at_once, Duration::from_secs(60));
    }
    let worker = Worker::new(lifecycle, served, world.lot.jobs_at_once, Duration::from_secs(20));
    // Less than the default: the next tick makes up for a missed job.
    worker.patience(Patience { tries: 4, step: Duration::from_secs(1) })
}

/// Creates the pipelines and adds all outside events until the end of the calm.
pub(crate) fn set_up(world: &Arc<World>) -> Result<(), String> {
    make_types(world)?;
    for pipeline in PIPELINES {
        make_pipeline(world, pipeline)?;
    }
    let mut random = world.random("owner");
    for number in 0..world.lot.executions {
        let begins = random.range(0, world.lot.troubled * 60_000);
        world.after(begins, format!("execution {number}"), move |world| start(world, number));
    }
    let minutes = world.lot.troubled + world.lot.calm;
    for minute in 0..world.lot.troubled {
        tick(world, minute, minute * 60_000);
    }
    for minute in (world.lot.troubled..minutes).step_by(CALM_EVERY) {
        tick(world, minute, minute * 60_000);
    }
    // Then fewer ticks, until every mark of a finished job is swept. The marks of invoked jobs stay for seven hours.
    for number in 1..=SWEEPS {
        let minute = minutes + number * SWEEP_EVERY;
        tick(world, minute, minute * 60_000);
    }
    Ok(())
}

/// When everything must have ended, in milliseconds.
pub(crate) fn end_of_calm(world: &World) -> u64 {
    (world.lot.troubled + world.lot.calm) * 60_000
}

/// When everything must be forgotten.
pub(crate) fn end(world: &World) -> u64 {
    end_of_calm(world) + (SWEEPS * SWEEP_EVERY + 1) * 60_000
}

/// One tick of the schedule.
fn tick(world: &Arc<World>, minute: u64, at: u64) {
    let mut random = world.random(&format!("tick {minute}"));
    let (delay, times) = match random.range(0, 99) {
        _ if minute >= world.lot.troubled => (random.range(0, 3_000), 1),
        0..5 => (0, 0),
        5..15 => (random.range(0, 50_000), 1),
        15..20 => (random.range(0, 3_000), 2),
        _ => (random.range(0, 3_000), 1),
    };
    for time in 0..times {
        wake_after(world, at + delay + time * 1_500, format!("minute {minute} {time}"), Waking::Schedule);
    }
}

pub(crate) fn make_types(world: &Arc<World>) -> Result<(), String> {
    let any = json!({"minimumCount": 0, "maximumCount": 5});
    for kind in kinds(world).iter().filter(|kind| kind.owner == "Custom") {
        let input = json!({
            "category": kind.category, "provider": kind.provider, "version": "1",
            "configurationProperties": [{"name": "Secret", "required": false, "key": false, "secret": true}],
            "inputArtifactDetails": any, "outputArtifactDetails": any,
        });
        owner(world, "CreateCustomActionType", &input)?;
    }
    let connections = json!([{
        "clientId": "11111111-2222-4333-8444-555555555555", "clientToken": client_token(),
        "actionType": {"category": "Build", "provider": "Partner", "version": "1"},
    }]);
    lock(&world.engine).connect(api::read_connections(&connections.to_string())?)
}

fn make_pipeline(world: &Arc<World>, name: &str) -> Result<(), String> {
    place_source(world);
    let mut random = world.random(&format!("pipeline {name}"));
    let mut stages = vec![json!({"name": "Source", "actions": [source()]})];
    for stage in 0..random.range(1, 2) {
        let actions: Vec<_> = (0..random.range(1, 4))
            .map(|number| action(random.pick(&kinds(world)), &format!("{stage}-{number}")))
            .collect();
        stages.push(json!({"name": format!("Stage{stage}"), "actions": actions}));
    }
    let pipeline = json!({
        "name": name, "roleArn": "arn:aws:iam::123456789012:role/pipeline", "executionMode": "PARALLEL",
        "pipelineType": "V2", "artifactStore": {"type": "S3", "location": STORE}, "stages": stages,
    });
    owner(world, "CreatePipeline", &json!({"pipeline": pipeline})).map(drop)
}

/// Puts the pipelines' source into its bucket.
pub(crate) fn place_source(world: &World) {
    let at = ObjectRef { bucket: "source".to_owned(), key: "source".to_owned() };
    lock(&world.objects).place_object(&at, SOURCE, world.clock.timestamp().0);
}

/// The source action of a pipeline.
pub(crate) fn source() -> Value {
    json!({
        "name": "Source", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "source", "S3ObjectKey": "source"}, "outputArtifacts": [{"name": "Source"}],
    })
}

pub(crate) fn action(kind: Kind, place: &str) -> Value {
    let secret = format!("{MARKER}-value");
    let configuration = match kind.owner {
        "AWS" => json!({"FunctionName": "worker", "UserParameters": json!({"Secret": secret}).to_string()}),
        "Custom" => json!({"Secret": secret}),
        _ => json!({}),
    };
    let outputs: Vec<Value> = if kind.files { vec![json!({"name": format!("Out{place}")})] } else { Vec::new() };
    json!({
        "name": format!("Action{place}"), "actionTypeId": kind.id(), "configuration": configuration,
        "inputArtifacts": [{"name": "Source"}], "outputArtifacts": outputs,
    })
}

fn start(world: &Arc<World>, number: u64) {
    let mut random = world.random(&format!("execution {number}"));
    let pipeline = random.pick(&PIPELINES);
    let started = owner(world, "StartPipelineExecution", &json!({"name": pipeline}));
    let id = match started {
        Ok(output) => output["pipelineExecutionId"].as_str().unwrap_or_default().to_owned(),
        Err(why) => return world.broken(format!("the simulation could not start a pipeline: {why}")),
    };
    world.trace.line(format_args!("the owner starts {pipeline}: {id}"));
    if random.chance(world.lot.abandoned) {
        let delay = random.range(1_000, 300_000);
        world.after(delay, format!("stop {id}"), move |world| {
            let input = json!({"pipelineName": pipeline, "pipelineExecutionId": id, "abandon": true});
            // The execution may have ended already.
            let stopped = owner(world, "StopPipelineExecution", &input).is_ok();
            world.trace.line(format_args!("the owner abandons {id}: {stopped}"));
        });
    }
}

/// Checks at the end that every execution has ended, unless it waits for one of the `lost` jobs that no event
/// announces.
pub(crate) fn all_over(world: &Arc<World>, lost: usize) {
    let mut lost = lost;
    for pipeline in PIPELINES {
        for (id, status) in codepipeline::executions(world, pipeline) {
            if matches!(status.as_str(), "InProgress" | "Stopping") {
                let waited_for = codepipeline::functions_waited_for(world, pipeline, &id);
                if (1..=lost).contains(&waited_for) {
                    lost -= waited_for;
                    continue;
                }
                world.broken(format!("the execution {id} of the pipeline {pipeline} is still {status}"));
            }
        }
    }
}

/// Checks at the very end that the ledger is empty.
pub(crate) fn all_forgotten(world: &Arc<World>) {
    let left = lock(&world.objects).keys(LEDGER);
    for (key, size) in left {
        world.broken(format!("the ledger still holds {key}, with {size} bytes"));
    }
}
