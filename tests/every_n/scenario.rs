//! The jobs that the requests are made for: what each needs, and how it must end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_codepipeline::types::{
    ArtifactStore, ArtifactStoreType, PipelineDeclaration, PipelineExecutionStatus, StageDeclaration,
    builders::ActionDeclarationBuilder,
};
use codepipeline_local::api::read_connections;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::Settings;
use codepipeline_local::types::Timestamp;
use codepipeline_local::{JobInvocation, Options};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::fake::{Fake, MACHINE};
use crate::process::Process;
use crate::support::aws_json::AwsJson;
use crate::support::{ROLE, SOURCE_BUCKET, STORE, World, action, custom, input, output, shared_config, shell, zip};
use crate::wire::{Kind, Passed, Services, Wire};

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT_TOKEN: &str = "client-token";
const RESULTS: &str = "results";
const LEDGER: &str = "ledger";

/// Between two invocations. Whatever the service or a lease waits for passes in some of them.
const TICK: Duration = Duration::from_secs(180);
/// A job whose worker died is adopted when its invocation's deadline has passed, after 6 ticks, which is before the service gives up
/// waiting for a Lambda function: after 20 minutes.
const MOST_TICKS: usize = 14;
/// The ledger forgets a job after 7 hours at most.
const UNTIL_MARKS_GO: Duration = Duration::from_secs(8 * 60 * 60);

/// One pipeline with one job, or one job after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// A command that takes two artifacts and makes two.
    Custom,
    /// The same with one of each, and credentials that expire before they are used.
    Expiring,
    /// A partner's action: its client's token is in Secrets Manager.
    ThirdParty,
    /// A state machine that is looked at twice, and leaves an artifact in S3.
    Continued,
    /// A command that fails.
    Failing,
    /// A Lambda Invoke action's job: nobody polls for it, an event brings it.
    Delivered,
}

impl Scenario {
    pub(crate) const ALL: [(&str, Self); 6] = [
        ("custom", Self::Custom),
        ("expiring", Self::Expiring),
        ("third-party", Self::ThirdParty),
        ("continued", Self::Continued),
        ("failing", Self::Failing),
        ("delivered", Self::Delivered),
    ];

    fn settings(self) -> Settings {
        let credential_life = match self {
            Self::Expiring => Duration::from_secs(1),
            _ => Settings::default().credential_life,
        };
        Settings { credential_life, ..Settings::default() }
    }

    /// The action, whose command notes that it runs in the file `ran`.
    fn action(self, ran: &str) -> ActionDeclarationBuilder {
        let run = |command: &str| format!("echo ran >> {ran}; {command}");
        match self {
            Self::Custom => custom("Act", "Build", "Shell")
                .input_artifacts(input("More"))
                .output_artifacts(output("First"))
                .output_artifacts(output("Second"))
                .configuration(
                    "Command",
                    run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST"; cp "$INPUT_MORE"/* "$OUTPUT_SECOND"; echo A=b > "$OUTPUT_VARIABLES""#),
                ),
            Self::Expiring => custom("Act", "Build", "Shell")
                .output_artifacts(output("First"))
                .configuration("Command", run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)),
            Self::ThirdParty => action("Act", "Test", "ThirdParty", "Partner")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("Command", run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)),
            Self::Continued => custom("Act", "Deploy", "Machine").output_artifacts(output("First")),
            Self::Failing => custom("Act", "Build", "Shell").configuration("Command", run("echo no >&2; exit 7")),
            Self::Delivered => action("Act", "Invoke", "AWS", "Lambda")
                .input_artifacts(input("Source"))
                .output_artifacts(output("First"))
                .configuration("FunctionName", "worker")
                .configuration(
                    "UserParameters",
                    json!({"Command": run(r#"cp "$INPUT_SOURCE"/* "$OUTPUT_FIRST""#)}).to_string(),
                ),
        }
    }

    fn entry(self) -> Value {
        match self {
            Self::Custom | Self::Expiring | Self::Failing => shell("Build", "Shell"),
            Self::ThirdParty => owned("ThirdParty", shell("Test", "Partner")),
            Self::Delivered => owned("AWS", shell("Invoke", "Lambda")),
            Self::Continued => json!({
                "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Machine", "version": "1"},
                "run": {"stateMachine": MACHINE}
            }),
        }
    }

    fn ends_as(self) -> PipelineExecutionStatus {
        match self {
            Self::Failing => PipelineExecutionStatus::Failed,
            _ => PipelineExecutionStatus::Succeeded,
        }
    }
}

/// Everything around one worker, and the worker.
struct Stage {
    scenario: Scenario,
    /// Whether a worker dies.
    deadly: bool,
    /// Whether it dies before it has written down that it has the job: nobody else was told of a delivered one.
    unnoticed: bool,
    world: Arc<World>,
    time: ManualClock,
    wire: Wire,
    process: Process,
    machines: Fake,
    _secrets: AwsJson,
    ran: PathBuf,
    delivered: UnboundedReceiver<JobInvocation>,
    events: UnboundedReceiver<Value>,
    over: bool,
    execution: String,
}

/// Runs the scenario with the fault; gives what passed.
///
/// # Errors
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
    // One tick, or two if its sweeping goes wrong.
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
            connections: read_connections(&connection.to_string()).unwrap(),
            clock: time.clock(),
            ..Options::default()
        };
        let mut world = World::with(options).await;
        let shared = without_tls(&world.shared);
        world.codepipeline = aws_sdk_codepipeline::Client::new(&shared);
        let s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(true).build();
        world.s3 = aws_sdk_s3::Client::from_conf(s3);
        let world = Arc::new(world);
        let machines = Fake::start().await;
        let secrets = AwsJson::start(|_, _| Ok(json!({"SecretString": CLIENT_TOKEN}))).await;
        let at = |endpoint: &str| endpoint.trim_start_matches("http://").parse().unwrap();
        let services = Services {
            emulator: at(&world.emulator.endpoint()),
            step_functions: at(machines.config.endpoint_url().unwrap()),
            secrets_manager: at(secrets.endpoint()),
        };
        let passing = time.clone();
        let watching = move |what: &str| {
            if scenario == Scenario::Expiring && what == "AcknowledgeJob" {
                passing.advance(Duration::from_secs(5));
            }
        };
        let wire = Wire::start(services, fault, Box::new(watching)).await;

        let deadly = fault.is_some_and(|(_, kind)| kind.kills());
        let through = without_tls(&shared_config(&wire.endpoint()));
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
            deadly,
            unnoticed: scenario == Scenario::Delivered && fault == Some((1, Kind::Die)),
            delivered: world.emulator.job_invocations(),
            events: world.emulator.events(),
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
            Scenario::Continued => {
                buckets.push(RESULTS);
                objects.push((RESULTS, "First"));
            }
            _ => {}
        }
        for bucket in buckets {
            world.s3.create_bucket().bucket(bucket).send().await.unwrap();
        }
        for (bucket, key) in &objects {
            let content = zip(&[(key, key)]);
            world.s3.put_object().bucket(*bucket).key(*key).body(content.into()).send().await.unwrap();
        }
        match self.scenario {
            Scenario::Continued => world.create_type("Deploy", "Machine", &[]).await,
            Scenario::ThirdParty | Scenario::Delivered => {}
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

    /// Whether the pipeline's execution has ended, as its events tell: asking would cost a request each time.
    fn is_over(&mut self) -> bool {
        while let Ok(event) = self.events.try_recv() {
            let of_pipeline = event["detail-type"] == "CodePipeline Pipeline Execution State Change";
            self.over |= of_pipeline && event["detail"]["state"] != "STARTED";
        }
        self.over
    }

    /// What there is to do now, and the time to the next tick. What an invocation says of itself is not judged: with a fault it may
    /// call itself failed, so that somebody looks.
    async fn tick(&mut self) {
        while let Ok(job) = self.delivered.try_recv() {
            self.invoke(Some(job.event)).await;
        }
        self.invoke(None).await;
        self.machines.get_on();
        self.time.advance(TICK);
    }

    async fn invoke(&mut self, job: Option<Value>) {
        let invocation = self.process.invoke(job);
        tokio::select! {
            () = invocation => {}
            () = self.wire.strikes_dead() => self.process.die(),
        }
    }

    async fn check(&self) -> Result<(), String> {
        let status = self.world.execution_status("p", &self.execution).await;
        let is_machine = self.scenario == Scenario::Continued;
        let ran = std::fs::read_to_string(&self.ran).unwrap_or_default().lines().count();
        if self.deadly && !is_machine && status == PipelineExecutionStatus::Failed {
            // A command is not run again when nobody knows how far it came.
            same("whether the command ran more than once", &(ran > 1), &false)?;
        } else {
            same("the execution", &status, &self.scenario.ends_as())?;
            same("how often the command ran", &ran, &usize::from(!is_machine))?;
        }
        same("executions of the state machine", &self.machines.executions(), &usize::from(is_machine))?;
        if self.unnoticed {
            // CodePipeline waits in vain until the action's timeout: what stays unprotected.
            return same("the execution", &status, &PipelineExecutionStatus::Failed);
        }
        let reported = self.jobs(|what| what.starts_with("Put") && what.ends_with("Result"));
        if self.scenario == Scenario::Delivered {
            same("how many reports were taken", &reported.len(), &1)?;
        } else {
            same("the jobs that were reported", &reported, &self.jobs(|what| what.starts_with("Acknowledge")))?;
            // A state machine that is looked at twice for one job is looked at for one job less.
            let expected = if is_machine { 2 + usize::from(!self.deadly)..=3 } else { 1..=1 };
            same("whether there were as many jobs as expected", &expected.contains(&reported.len()), &true)?;
        }
        let failed = self.jobs(|what| what.ends_with("FailureResult")).len();
        same("failures", &failed, &usize::from(status == PipelineExecutionStatus::Failed))?;
        if status == PipelineExecutionStatus::Succeeded {
            self.check_outputs().await?;
        }
        let left = std::fs::read_dir(self.world.work_folder()).map_or(0, Iterator::count);
        same("folders that are left", &left, &0)
    }

    /// The jobs of the requests that succeeded, once for each.
    fn jobs(&self, what: fn(&str) -> bool) -> Vec<String> {
        let passed = self.wire.passed().into_iter();
        let taken = passed.filter(|request| what(&request.what) && request.succeeded());
        let mut jobs: Vec<_> = taken.filter_map(|request| request.job).collect();
        jobs.sort_unstable();
        jobs
    }

    /// Each output artifact is an archive of what went into it.
    async fn check_outputs(&self) -> Result<(), String> {
        let listed = self.world.codepipeline.list_action_executions().pipeline_name("p").send().await.unwrap();
        let act = listed.action_execution_details().iter().find(|it| it.action_name() == Some("Act")).unwrap();
        for artifact in act.output().unwrap().output_artifacts() {
            let place = artifact.s3_location().unwrap();
            let get = self.world.s3.get_object().bucket(place.bucket().unwrap()).key(place.key().unwrap());
            let Ok(object) = get.send().await else {
                return Err(format!("there is no {}", artifact.name().unwrap()));
            };
            let content = object.body.collect().await.unwrap().to_vec();
            let mut archive =
                ::zip::ZipArchive::new(std::io::Cursor::new(content)).map_err(|error| error.to_string())?;
            let names: Vec<_> =
                (0..archive.len()).map(|n| archive.by_index(n).unwrap().name().unwrap().to_string()).collect();
            let wanted = match (self.scenario, artifact.name()) {
                (Scenario::Custom, Some("Second")) => "More",
                (Scenario::Continued, _) => "First",
                _ => "Source",
            };
            same("the artifact", &names, &vec![wanted.to_owned()])?;
        }
        Ok(())
    }

    /// The sizes of the ledger's entries.
    async fn entries(&self) -> Vec<i64> {
        let listed = self.world.s3.list_objects_v2().bucket(LEDGER).send().await.unwrap();
        listed.contents().iter().filter_map(aws_sdk_s3::types::Object::size).collect()
    }

    /// How many jobs the ledger knows that are not done: the mark of one that is has no content.
    async fn unfinished(&self) -> usize {
        self.entries().await.into_iter().filter(|size| *size > 0).count()
    }

    /// What passed, for whoever looks into a failure.
    fn story(&self) -> String {
        let mut lines: Vec<(usize, String, usize)> = Vec::new();
        for (index, Passed { what, answer, .. }) in self.wire.passed().into_iter().enumerate() {
            let answer =
                answer.map(|(status, body)| format!("{status} {}", body["__type"].as_str().unwrap_or_default()));
            let line = format!("{what} {}", answer.as_deref().unwrap_or("-"));
            match lines.last_mut() {
                Some((_, same, times)) if *same == line => *times += 1,
                _ => lines.push((index + 1, line, 1)),
            }
        }
        let told = |(number, line, times): (usize, String, usize)| match times {
            1 => format!("  {number:3} {line}\n"),
            _ => format!("  {number:3} {line}, {times} times\n"),
        };
        lines.into_iter().map(told).collect()
    }
}

impl Fake {
    /// The execution ends when it has been looked at and was found running.
    fn get_on(&self) {
        if let Some(looked_at) = self.calls("DescribeExecution").first() {
            let name = looked_at["executionArn"].as_str().unwrap().rsplit(':').next().unwrap();
            let artifacts = json!({"First": {"bucket": RESULTS, "key": "First"}});
            self.succeed(name, &json!({"summary": "done", "outputVariables": {"A": "b"}, "artifacts": artifacts}));
        }
    }
}

/// With clients that speak HTTP only: those that speak HTTPS read the system's certificates first, which is half of a run's time.
fn without_tls(shared: &SdkConfig) -> SdkConfig {
    shared.to_builder().http_client(aws_smithy_http_client::Builder::new().build_http()).build()
}

fn owned(owner: &str, mut entry: Value) -> Value {
    entry["actionType"]["owner"] = json!(owner);
    entry
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should_be: &T) -> Result<(), String> {
    if is == should_be { Ok(()) } else { Err(format!("{what}: {is:?}, and not {should_be:?}")) }
}
