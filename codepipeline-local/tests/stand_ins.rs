//! Stand-ins and skipped actions in an emulator.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_codepipeline::types::{ActionCategory, ActionExecution, ActionExecutionStatus, ActionOwner};
use codepipeline_local::Options;
use codepipeline_local::providers::{
    ActionTypeId, Done, Failed, Output, Provider, Providers, Secrets, StandIn, Task, Workplace,
};
use secrecy::SecretString;
use support::{Scenario, action_type};

/// Providers with a stand-in for CodeDeploy, and the lines that actions print.
fn stand_in(command: &str) -> (Providers, Arc<Mutex<Vec<String>>>) {
    let mut providers = Providers::default();
    providers.stand_in(ActionTypeId::first("Deploy", "AWS", "CodeDeploy"), Arc::new(StandIn::new(command)));
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    providers.output(Output::new(move |line| kept.lock().unwrap().push(line.to_string())));
    (providers, lines)
}

/// Runs a pipeline with a CodeDeploy action. Returns the execution's id.
async fn deploying(providers: Providers) -> (Scenario, String) {
    let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
    let deploy = action_type(ActionCategory::Deploy, ActionOwner::Aws, "CodeDeploy");
    let id = scenario.run(deploy, &[("ApplicationName", "shop")]).await;
    (scenario, id)
}

async fn action(scenario: &Scenario) -> Option<ActionExecution> {
    let state = scenario.pipelines.get_pipeline_state().name("pipe").send().await.unwrap();
    state.stage_states()[1].action_states()[0].latest_execution().cloned()
}

async fn ended(scenario: &Scenario) -> ActionExecution {
    loop {
        match action(scenario).await {
            Some(ended) if ended.status() != Some(&ActionExecutionStatus::InProgress) => return ended,
            _ => tokio::task::yield_now().await,
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether the process with the id in the file has ended.
fn has_ended(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn stand_in_is_led_to_the_emulator() {
    let (mut providers, lines) =
        stand_in("echo \"$AWS_ENDPOINT_URL $AWS_REGION $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY\"");
    providers.environment([("AWS_REGION".to_owned(), "eu-west-1".to_owned())].into());
    let (scenario, _) = deploying(providers).await;
    ended(&scenario).await;
    let expected = format!("[Make] {} eu-west-1 local local", scenario.emulator.endpoint());
    assert!(lines.lock().unwrap().contains(&expected), "{lines:?}");
}

#[tokio::test]
async fn stand_in_gets_the_source_and_stores_its_output() {
    // The source is no archive, so it is one file with the artifact's name.
    let (providers, lines) = stand_in("echo \"$CONFIG_APPLICATIONNAME: $(cat Source)\" | tee \"$OUTPUT_MADE/notes\"");
    let (scenario, _) = deploying(providers).await;
    let ended = ended(&scenario).await;
    assert_eq!((ended.status(), ended.summary()), (Some(&ActionExecutionStatus::Succeeded), Some("stand-in")));
    assert!(lines.lock().unwrap().contains(&"[Make] shop: the source".to_owned()), "{lines:?}");
    let listed = scenario.pipelines.list_action_executions().pipeline_name("pipe").send().await.unwrap();
    let output = listed.action_execution_details()[0].output().unwrap().output_artifacts()[0].s3_location().unwrap();
    let head = scenario.objects.head_object().bucket(output.bucket().unwrap()).key(output.key().unwrap());
    assert_eq!(head.send().await.unwrap().content_type(), Some("application/zip"));
}

#[tokio::test]
async fn stopped_action_and_ended_emulator_kill_the_command() {
    for stop_emulator in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let command = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 600", file.display());
        let (scenario, id) = deploying(stand_in(&command).0).await;
        until(|| file.exists()).await;
        let pid = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        if stop_emulator {
            scenario.emulator.stop().await;
            assert!(has_ended(&pid), "nothing is left after the stop");
            continue;
        }
        let stop = scenario.pipelines.stop_pipeline_execution().pipeline_name("pipe").pipeline_execution_id(id);
        stop.abandon(true).send().await.unwrap();
        until(|| has_ended(&pid)).await;
        assert_eq!(action(&scenario).await.unwrap().status(), Some(&ActionExecutionStatus::Abandoned));
    }
}

#[tokio::test]
async fn skipped_action_succeeds_with_its_outputs() {
    let mut providers = Providers::default();
    providers.skip("Build/Make");
    let (scenario, _) = deploying(providers).await;
    let ended = ended(&scenario).await;
    assert_eq!((ended.status(), ended.summary()), (Some(&ActionExecutionStatus::Succeeded), Some("skipped")));
}

/// Panics, or fails with a secret in its message.
struct Broken {
    panics: bool,
}

#[async_trait]
impl Provider for Broken {
    async fn run(&self, _: Task, _: &Workplace) -> Result<Done, Failed> {
        assert!(!self.panics, "this provider is broken");
        Err(Failed::job("no access with hunter2"))
    }
}

#[tokio::test]
async fn broken_provider_fails_its_action_without_secrets() {
    for (panics, expected) in [
        (true, "The provider of Deploy/AWS/CodeDeploy/1 panicked, which is a bug of codepipeline-local"),
        (false, "no access with ***"),
    ] {
        let mut providers = Providers::default();
        providers.emulate(ActionTypeId::first("Deploy", "AWS", "CodeDeploy"), Arc::new(Broken { panics }));
        providers.secrets(Secrets::new([("TOKEN".to_owned(), SecretString::from("hunter2"))]));
        let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
        let deploy = action_type(ActionCategory::Deploy, ActionOwner::Aws, "CodeDeploy");
        scenario.run(deploy, &[]).await;
        let ended = ended(&scenario).await;
        assert_eq!(ended.status(), Some(&ActionExecutionStatus::Failed));
        assert_eq!(ended.error_details().unwrap().message(), Some(expected));
    }
}
