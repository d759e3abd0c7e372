//! Every kind of job against the emulator: third-party jobs, Lambda Invoke jobs, abandoned work, expiring credentials.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecutionStatus, PipelineExecutionStatus};
use codepipeline_local::api::read_connections;
use codepipeline_local::engine::Settings;
use codepipeline_local::runtime_api::Invocation;
use codepipeline_local::{Options, S3Pace};
use codepipeline_worker::actions::{Abandoned, Action, Served, Turn};
use codepipeline_worker::job::{Continuation, Failure, Outcome};
use codepipeline_worker::worker::{Summary, Worker};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::support::aws_json::AwsJson;
use crate::support::{
    World, action, action_type, custom, function, input, invoke, lifecycle, output, shell, until, zip,
};

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT_TOKEN: &str = "MARKER-client-token";

fn schedule() -> Value {
    serde_json::from_str(include_str!("../../events/schedule.json")).unwrap()
}

async fn third_party_world() -> World {
    let partner = json!({
        "category": "Test", "provider": "Partner", "version": "1",
        "configurationProperties": [{"name": "Command", "required": true, "key": true, "secret": false}]
    });
    let connection = json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": partner}]);
    let connections = read_connections(&connection.to_string()).unwrap();
    let world = World::with(Options { connections: Some(connections), ..Options::default() }).await;
    let check = action("Check", "Test", "ThirdParty", "Partner")
        .input_artifacts(input("Source"))
        .output_artifacts(output("Report"))
        .configuration(
            "Command",
            r#"cp a "$OUTPUT_REPORT"; echo checked > "$SUMMARY"; echo A=b > "$OUTPUT_VARIABLES""#,
        );
    world.create_pipeline("p", vec![("Test", vec![check])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world
}

/// Invokes the real binary once. Returns its response and its log.
async fn invoke_function(world: &World, secrets: &AwsJson) -> (Value, String) {
    let mut entry = shell("Test", "Partner");
    entry["actionType"]["owner"] = json!("ThirdParty");
    let variables = [
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.endpoint()),
        ("CLIENT_TOKENS_SECRET", "clients/"),
        ("RUST_LOG", "trace"),
    ];
    let (function, mut log) = function(world, &json!([entry]), &variables);
    let invocation = function.invoke(&schedule()).await.unwrap();
    function.stop().await;
    let mut lines = String::new();
    while let Some(line) = log.recv().await {
        lines.push_str(&line);
        lines.push('\n');
    }
    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}\n{lines}") };
    (summary, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn third_party_job_runs_like_any_job() {
    let world = third_party_world().await;
    let id = world.start("p").await;
    world.until_begun("p", "Check").await;
    let secrets = AwsJson::start(|_, input| {
        assert_eq!(input["SecretId"], format!("clients/{CLIENT_ID}"));
        Ok(json!({"SecretString": CLIENT_TOKEN}))
    })
    .await;

    let (summary, log) = invoke_function(&world, &secrets).await;

    assert_eq!(summary["succeeded"], 1, "{summary}\n{log}");
    assert_eq!(world.action("p", "Check").await.unwrap().summary(), Some("checked"));
    until(async || world.execution_status("p", &id).await == PipelineExecutionStatus::Succeeded).await;
    assert!(!world.output_artifact("p", "Check").await.is_empty());
    assert!(log.contains("output variables"), "the log must report the lost variables:\n{log}");
    assert!(!log.contains(CLIENT_TOKEN), "{log}");
    for operation in ["GetThirdPartyJobDetails", "AcknowledgeThirdPartyJob", "PutThirdPartyJobSuccessResult"] {
        assert_eq!(world.emulator.calls(operation), 1, "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_client_token_is_logged_and_not_reported() {
    let world = third_party_world().await;
    world.start("p").await;
    world.until_begun("p", "Check").await;
    let secrets = AwsJson::start(|_, _| Ok(json!({"SecretString": "MARKER-wrong-token"}))).await;

    let (summary, log) = invoke_function(&world, &secrets).await;

    assert_eq!((&summary["claimed"], &summary["unusable"]), (&json!(0), &json!(1)), "{summary}\n{log}");
    assert!(log.contains(CLIENT_ID) && log.contains("ClientTokenProblems"), "{log}");
    assert!(!log.contains("MARKER"), "{log}");
    assert_eq!(world.emulator.calls("PutThirdPartyJobFailureResult"), 0);
}

/// Continues forever, and records the work that it must stop.
#[derive(Clone, Default)]
struct Endless(Arc<Mutex<Vec<Abandoned>>>);

impl Action for Endless {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        let [token, summary] = ["work-1", "continuing"].map(str::to_owned);
        let percent_complete = Some(10);
        Ok(Outcome::Continue(Continuation {
            token,
            summary: Some(summary),
            external_execution_id: None,
            percent_complete,
        }))
    }

    async fn resume(&self, turn: Turn, _: &str) -> Result<Outcome, Failure> {
        self.start(turn).await
    }

    async fn stop(&self, abandoned: &Abandoned) -> Result<(), Failure> {
        self.0.lock().unwrap().push(abandoned.clone());
        Ok(())
    }

    fn wants_files(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_an_abandoned_action_stops_its_work() {
    let engine = Settings { continuation_delay: Duration::ZERO, ..Settings::default() };
    let world = World::with(Options { engine, ..Options::default() }).await;
    let mut events = world.emulator.events();
    world.create_type("Deploy", "Endless", &[]).await;
    world.create_pipeline("p", vec![("Deploy", vec![custom("Endless", "Deploy", "Endless")])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    let id = world.start("p").await;
    world.until_begun("p", "Endless").await;
    let endless = Endless::default();
    let kind = action_type("Deploy", "Custom", "Endless");
    let served = Served::new(kind, Duration::from_secs(60), endless.clone());
    let lifecycle = lifecycle(&world.sdk_config, world.work_folder());
    let worker = Worker::new(lifecycle, vec![served], 1, Duration::from_secs(60));
    let deadline = Instant::now() + Duration::from_secs(900);
    let begun = worker.action_started(&action_type("Deploy", "Custom", "Endless"), None, None, deadline).await.unwrap();
    assert!(begun.continued > 0, "{begun:?}");
    // CodePipeline offers the next job at once. The invocation must still end before its deadline.
    assert!(world.emulator.calls("PollForJobs") < 20, "{} polls", world.emulator.calls("PollForJobs"));
    assert_eq!(world.action("p", "Endless").await.unwrap().percent_complete(), Some(10));

    let stop = world.codepipeline.stop_pipeline_execution().pipeline_name("p").pipeline_execution_id(&id);
    stop.abandon(true).send().await.unwrap();
    let mut abandoned = Value::Null;
    until(async || {
        abandoned = events.try_recv().unwrap_or_default();
        abandoned["detail"]["state"] == "ABANDONED"
    })
    .await;
    let parsed = codepipeline_worker::event::Event::parse(&abandoned, &[]).unwrap();
    let codepipeline_worker::event::Event::ActionOver { action_type, execution_id } = parsed else {
        panic!("{abandoned}")
    };
    let summary = worker.action_over(&action_type, execution_id.as_deref(), deadline).await.unwrap();
    let execution_id = execution_id.unwrap();

    assert_eq!(summary.stopped, 1, "{summary:?}");
    let stopped = endless.0.lock().unwrap().clone();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].execution_id, execution_id);
    assert_eq!(execution_id, world.action("p", "Endless").await.unwrap().action_execution_id().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn invoke_action_is_run_and_reported() {
    let world = World::new().await;
    let mut jobs = world.emulator.job_invocations();
    let check = action("Check", "Invoke", "AWS", "Lambda")
        .input_artifacts(input("Source"))
        .output_artifacts(output("Report"))
        .configuration("FunctionName", "worker")
        .configuration("UserParameters", r#"{"Command": "cp a \"$OUTPUT_REPORT\"; echo invoked > \"$SUMMARY\""}"#);
    world.create_pipeline("p", vec![("Check", vec![check])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    let id = world.start("p").await;
    let mut entry = shell("Invoke", "Lambda");
    entry["actionType"]["owner"] = json!("AWS");
    let worker = world.worker(&json!([entry]));

    let job = timeout(Duration::from_secs(60), jobs.recv()).await.expect("CodePipeline invokes the function").unwrap();
    let summary = worker.run_job(&job.event, Instant::now() + Duration::from_secs(900)).await.unwrap();

    assert_eq!(summary, Summary { claimed: 1, succeeded: 1, ..Summary::default() });
    until(async || world.execution_status("p", &id).await == PipelineExecutionStatus::Succeeded).await;
    assert_eq!(world.action("p", "Check").await.unwrap().summary(), Some("invoked"));
    assert!(!world.output_artifact("p", "Check").await.is_empty());
    assert_eq!(world.emulator.calls("PollForJobs") + world.emulator.calls("AcknowledgeJob"), 0);
}

/// Bytes that don't compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_renewed_during_download_and_upload() {
    let engine = Settings { credential_life: Duration::from_secs(2), ..Settings::default() };
    let s3 = S3Pace { delay: Duration::from_millis(900), ..S3Pace::default() };
    let world = World::with(Options { engine, s3, ..Options::default() }).await;
    world.create_type("Build", "Copy", &["Command"]).await;
    let copy = custom("Copy", "Build", "Copy")
        .output_artifacts(output("Out"))
        .configuration("Command", r#"cp * "$OUTPUT_OUT""#);
    world.create_pipeline("p", vec![("Build", vec![copy])]).await;
    // About 24 ranges of 1 MiB, eight at a time, and then a multipart upload of five parts.
    let content = noise(24 << 20);
    world.put_source(content.clone()).await;
    world.start("p").await;
    world.until_begun("p", "Copy").await;

    let summary = invoke(&world.worker(&json!([shell("Build", "Copy")]))).await;

    let copied = world.action("p", "Copy").await.unwrap();
    assert_eq!(copied.status(), Some(&ActionExecutionStatus::Succeeded), "{summary:?} {copied:?}");
    assert!(world.emulator.calls("GetJobDetails") >= 2, "renewed {} times", world.emulator.calls("GetJobDetails"));
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(world.output_artifact("p", "Copy").await)).unwrap();
    let mut copied = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name("Source").unwrap(), &mut copied).unwrap();
    assert!(copied == content, "the bytes differ");
}
