//! The `stateMachine` action against moto's server, which runs state machines, directly and behind the emulator; and
//! client tokens from moto's Secrets Manager, and a command's role from moto's STS.
//!
//! The feature `moto` enables these tests, because they need the server. `.ci/moto` installs and starts one, and runs
//! them.

use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use codepipeline_local::Options;
use codepipeline_local::engine::Settings;
use codepipeline_local::runtime_api::{Invocation, Schedule};
use codepipeline_worker::actions::command::{Role, RoleArn};
use codepipeline_worker::actions::{Abandoned, Action};
use codepipeline_worker::job::{Failure, FailureKind, ObjectPlace, Outcome, PipelineContext};
use serde_json::{Value, json};

use crate::command::scenario::{describe, sh};
use crate::state_machine::scenario::{NAME, Scenario, continued, failed, finished};
use crate::support::{self, World, custom, sdk_config, until, zip};

#[expect(clippy::disallowed_methods, reason = "the caller of the test starts the server")]
fn moto_endpoint() -> String {
    std::env::var("MOTO_ENDPOINT").expect("MOTO_ENDPOINT is not set: run .ci/moto, which starts moto_server")
}

fn config() -> SdkConfig {
    sdk_config(&moto_endpoint()).to_builder().region(Region::new("eu-central-1")).build()
}

/// A scenario with a new state machine, so that earlier tests on the same server don't matter.
async fn state_machine(states: Value) -> Scenario {
    let config = config();
    let machine = machine(&config, &states).await;
    Scenario::new(&config, &machine)
}

/// Creates a state machine, and returns its ARN.
async fn machine(config: &SdkConfig, states: &Value) -> String {
    let request = aws_sdk_sfn::Client::new(config).create_state_machine();
    let created = request
        .name(format!("machine-{:x}", fastrand::u64(..)))
        .role_arn("arn:aws:iam::123456789012:role/machine")
        .definition(json!({"StartAt": "First", "States": states}).to_string())
        .send()
        .await
        .unwrap();
    created.state_machine_arn
}

/// Resumes until the execution has ended, as one job after another would. Returns its end, and the number of continuations.
/// Fails after a minute: an execution that can't be read continues forever.
async fn to_its_end(scenario: &Scenario, token: &str) -> (Result<Outcome, Failure>, usize) {
    let mut continuations = 0;
    let continuing = async {
        loop {
            match scenario.resume(token).await {
                Ok(Outcome::Continue(continuation)) => {
                    assert_eq!(continuation.token, token);
                    continuations += 1;
                }
                ended => return ended,
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), continuing).await.expect("the execution to end");
    (ended, continuations)
}

#[tokio::test]
async fn an_execution_continues_and_succeeds_with_its_results() {
    let scenario = state_machine(json!({
        "First": {"Type": "Wait", "Seconds": 2, "Next": "Last"},
        "Last": {
            "Type": "Pass",
            "Parameters": {
                "summary": "rolled out",
                "outputVariables": {"Target.$": "$.configuration.Target", "Hosts": 12},
                "artifacts": {"Report": {"bucket": "results", "key.$": "$.outputArtifacts.Report.key"}}
            },
            "End": true
        }
    }))
    .await;
    let token = continued(scenario.start().await).token;
    assert_eq!(continued(scenario.start().await).token, token, "a repeated start finds the running execution");

    let (ended, continuations) = to_its_end(&scenario, &token).await;
    let done = finished(ended);
    assert!(continuations >= 2, "{continuations}");
    assert_eq!(done.summary.as_deref(), Some("rolled out"));
    let variables: Vec<_> = done.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(variables, [("Hosts", "12"), ("Target", "blue")]);
    assert_eq!(done.outputs["Report"], ObjectPlace { bucket: "results".into(), key: "web/Report/b2".into() });
    assert!(done.external_execution_id.unwrap().ends_with(NAME));

    // A start after the end finds the result, too.
    assert_eq!(finished(scenario.start().await).summary.as_deref(), Some("rolled out"));
}

#[tokio::test]
async fn a_failed_execution_fails_the_job_with_its_cause() {
    let scenario = state_machine(json!({
        "First": {"Type": "Wait", "Seconds": 1, "Next": "Last"},
        "Last": {"Type": "Fail", "Error": "RolledBack", "Cause": "db-7 is down"}
    }))
    .await;
    let token = continued(scenario.start().await).token;
    let failure = failed(to_its_end(&scenario, &token).await.0);
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert_eq!(failure.code.as_str(), "ExecutionEndedBadly");
    assert!(failure.message.contains("`RolledBack`"), "{}", failure.message);
    assert_eq!(failure.output.as_deref(), Some("db-7 is down"));
}

#[tokio::test]
async fn an_abandoned_execution_is_stopped_by_its_name() {
    let scenario = state_machine(json!({"First": {"Type": "Wait", "Seconds": 3600, "End": true}})).await;
    let token = continued(scenario.start().await).token;
    let abandoned = Abandoned { execution_id: NAME.to_owned(), token: None };
    assert!(scenario.action.stop(&abandoned).await.is_ok());
    // DescribeExecution is eventually consistent (API Reference, DescribeExecution), and moto stops in a separate thread.
    let failure = failed(to_its_end(&scenario, &token).await.0);
    assert_eq!(failure.code.as_str(), "ExecutionEndedBadly");
}

#[tokio::test]
async fn a_missing_execution_or_machine_is_a_failure() {
    let scenario = state_machine(json!({"First": {"Type": "Succeed"}})).await;
    let token = continued(scenario.start().await).token;
    let missing = token.replace(NAME, "never-started");
    assert_eq!(failed(scenario.resume(&missing).await).code.as_str(), "ExecutionNotFound");
    let abandoned = Abandoned { execution_id: "never-started".to_owned(), token: None };
    assert!(scenario.action.stop(&abandoned).await.is_ok());
    let elsewhere = Scenario::new(&config(), "arn:aws:states:eu-central-1:123456789012:stateMachine:missing");
    assert_eq!(failed(elsewhere.start().await).code.as_str(), "StateMachineNotFound");
}

/// As with `serve --function --endpoint stepfunctions=URL`: the worker and the machine's owner use one address.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_machine_is_reached_through_the_emulator() {
    let endpoints = [format!("stepfunctions={}", moto_endpoint()).parse().unwrap()].into_iter().collect();
    let engine = Settings { continuation_delay: Duration::from_millis(100), ..Settings::default() };
    let world = World::with(Options { endpoints, engine, ..Options::default() }).await;
    let states = json!({
        "First": {"Type": "Wait", "Seconds": 1, "Next": "Last"},
        "Last": {"Type": "Pass", "Result": {"summary": "rolled out"}, "End": true}
    });
    let machine = machine(&world.sdk_config, &states).await;
    world.create_type("Deploy", "Machine", &[]).await;
    world.create_pipeline("p", vec![("Deploy", vec![custom("Roll", "Deploy", "Machine")])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    let entry = json!({
        "actionType": {"category": "Deploy", "owner": "Custom", "provider": "Machine", "version": "1"},
        "run": {"stateMachine": machine}
    });
    let (function, _log) = support::function(&world, &json!([entry]), &[("FUNCTION_TIMEOUT", "300")]);
    let id = world.start("p").await;
    let schedule = Schedule::start(function.clone(), Duration::from_millis(500), |_| {});

    until(async || world.execution_status("p", &id).await == PipelineExecutionStatus::Succeeded).await;

    drop(schedule);
    function.stop().await;
    assert_eq!(world.action("p", "Roll").await.unwrap().summary(), Some("rolled out"));
}

/// A third-party job's client token comes from Secrets Manager, by the name of its secret. A missing secret affects only its
/// own job, and is logged.
#[tokio::test(flavor = "multi_thread")]
async fn client_tokens_come_from_secrets_manager() {
    let partner = json!({"category": "Test", "provider": "Partner", "version": "1"});
    let [known, unknown] = [0xa, 0xb].map(|digit| format!("11111111-2222-4333-8444-55555555555{digit:x}"));
    let connection = |client: &str, pipeline: &str| json!({"clientId": client, "clientToken": "token-1", "actionType": partner, "pipelines": [pipeline]});
    let connections = json!([connection(&known, "with-secret"), connection(&unknown, "without-secret")]);
    let connections = codepipeline_local::api::read_connections(&connections.to_string()).unwrap();
    let world = World::with(Options { connections: Some(connections), ..Options::default() }).await;
    for pipeline in ["with-secret", "without-secret"] {
        let check = support::action("Check", "Test", "ThirdParty", "Partner");
        world.create_pipeline(pipeline, vec![("Test", vec![check])]).await;
        world.put_source(zip(&[("a", "b")])).await;
        world.start(pipeline).await;
        world.until_begun(pipeline, "Check").await;
    }
    let prefix = format!("clients-{:x}/", fastrand::u64(..));
    // The function's region.
    let region = Region::new("us-east-1");
    let regional = aws_sdk_secretsmanager::config::Builder::from(&config()).region(region).build();
    let secret = aws_sdk_secretsmanager::Client::from_conf(regional).create_secret();
    secret.name(format!("{prefix}{known}")).secret_string("token-1").send().await.unwrap();
    let mut entry = support::shell("Test", "Partner");
    entry["actionType"]["owner"] = json!("ThirdParty");
    entry["run"] = json!({"command": ["true"]});
    let endpoint = moto_endpoint();
    let variables =
        [("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.as_str()), ("CLIENT_TOKENS_SECRET", prefix.as_str())];
    let (function, mut log) = support::function(&world, &json!([entry]), &variables);

    let event = serde_json::from_str(include_str!("../../events/schedule.json")).unwrap();
    let invocation = function.invoke(&event).await.unwrap();
    function.stop().await;

    let mut lines = String::new();
    while let Some(line) = log.recv().await {
        lines.push_str(&line);
    }
    let Invocation::Answered(summary) = invocation else { panic!("{invocation:?}\n{lines}") };
    assert_eq!((&summary["succeeded"], &summary["unusable"]), (&json!(1), &json!(1)), "{summary}\n{lines}");
    assert!(lines.contains(&unknown) && lines.contains("\"ClientTokenProblems\":1"), "{lines}");
}

/// moto knows who calls it with the credentials of a session that it created.
#[tokio::test]
async fn command_acts_in_a_session_of_its_role() {
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/web/deploy").unwrap();
    let script =
        r#"printf '%s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" > "$OUTPUT_OUT/session""#;
    let text = |text: &str| Some(text.to_owned());
    let names =
        PipelineContext { pipeline_name: text("web"), stage_name: text("Deploy"), ..PipelineContext::default() };
    let staged = sh(script).pipeline(names).role(Role::new(&config(), role)).stage();
    staged.start().await.map_err(describe).unwrap();

    let session = staged.written("session");
    let [key, secret, token] = session.lines().collect::<Vec<_>>()[..] else { panic!("not three values") };
    let credentials = Credentials::new(key, secret, text(token), None, "test");
    let config = config().into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
    let caller = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    let arn = "arn:aws:sts::123456789012:assumed-role/deploy/6120fb5d9ead5dad5250a423db465c65d1a467ae3b565721b926a770b2940160";
    assert_eq!(caller.arn(), Some(arn));
}
