//! The real binary as `serve --function` runs it: the emulator's events wake it, and it finds all services at one
//! address.

use std::io;

use aws_sdk_codepipeline::types::{ActionExecutionStatus, ApprovalResult, ApprovalStatus, PipelineExecutionStatus};
use codepipeline_local::api::read_connections;
use codepipeline_local::runtime_api::{Function, Invocation, Waking};
use codepipeline_local::{EventPattern, Options};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{World, action, custom, function, input, output, shell, until, zip};

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT_TOKEN: &str = "MARKER-client-token";

/// A function that the default event pattern wakes.
struct Beside {
    function: Function,
    waking: Waking,
    log: UnboundedReceiver<String>,
    ends: UnboundedReceiver<io::Result<Invocation>>,
}

impl Beside {
    fn start(world: &World, actions: &Value, variables: &[(&str, &str)]) -> Self {
        let (function, log) = function(world, actions, variables);
        let (ended, ends) = unbounded_channel();
        // The test may have ended by then.
        let report = move |end| drop(ended.send(end));
        let waking = Waking::start(&world.emulator, function.clone(), EventPattern::action_events(), report);
        Self { function, waking, log, ends }
    }

    /// Waits for so many invocations, and returns the log. Fails unless each was answered and no line is an error.
    async fn ends_well(mut self, invocations: usize) -> String {
        let mut ends = Vec::new();
        while ends.len() < invocations {
            ends.push(self.ends.recv().await.unwrap().unwrap());
        }
        drop(self.waking);
        self.function.stop().await;
        let mut log = String::new();
        while let Some(line) = self.log.recv().await {
            log.push_str(&line);
            log.push('\n');
        }
        assert!(ends.iter().all(|end| matches!(end, Invocation::Answered(_))), "{ends:?}\n{log}");
        assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
        log
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_pattern_causes_no_error_in_the_worker() {
    let world = World::new().await;
    world.create_type("Test", "Shell", &["Command"]).await;
    world.create_type("Deploy", "Unserved", &[]).await;
    let command = |text: &str| custom("Act", "Test", "Shell").configuration("Command", text);
    let approval = action("Approve", "Approval", "AWS", "Manual");
    let stages = vec![
        ("Test", vec![command("cat a")]),
        ("Approval", vec![approval]),
        ("Fail", vec![command("exit 3").name("Fail")]),
    ];
    world.create_pipeline("whole", stages).await;
    world.create_pipeline("stopped", vec![("Deploy", vec![custom("Wait", "Deploy", "Unserved")])]).await;
    let beside = Beside::start(&world, &json!([shell("Test", "Shell")]), &[]);
    world.put_source(zip(&[("a", "b")])).await;
    world.start("whole").await;
    until(async || world.action("whole", "Approve").await.is_some_and(|approval| approval.token().is_some())).await;
    let token = world.action("whole", "Approve").await.unwrap().token.unwrap();
    let result = ApprovalResult::builder().summary("yes").status(ApprovalStatus::Approved).build().unwrap();
    let approve = world.codepipeline.put_approval_result().pipeline_name("whole").stage_name("Approval");
    approve.action_name("Approve").token(token).result(result).send().await.unwrap();
    let has_failed = async || {
        let failed = world.action("whole", "Fail").await.and_then(|action| action.status);
        failed == Some(ActionExecutionStatus::Failed)
    };
    until(has_failed).await;

    let id = world.start("stopped").await;
    world.until_begun("stopped", "Wait").await;
    let stop = world.codepipeline.stop_pipeline_execution().pipeline_name("stopped").pipeline_execution_id(&id);
    stop.abandon(true).send().await.unwrap();
    let has_stopped = async || world.execution_status("stopped", &id).await == PipelineExecutionStatus::Stopped;
    until(has_stopped).await;

    // Two jobs have begun and one has failed; the other action has begun and was abandoned.
    let log = beside.ends_well(5).await;
    assert_eq!(log.matches("\"message\":\"reported\"").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn third_party_jobs_find_their_client_tokens_in_the_emulator() {
    let partner = json!({
        "category": "Test", "provider": "Partner", "version": "1",
        "configurationProperties": [{"name": "Command", "required": true, "key": true, "secret": false}]
    });
    let connection = json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": partner}]);
    let connections = Some(read_connections(&connection.to_string()).unwrap());
    let world = World::with(Options { connections, ..Options::default() }).await;
    let check = action("Check", "Test", "ThirdParty", "Partner")
        .input_artifacts(input("Source"))
        .output_artifacts(output("Report"))
        .configuration("Command", r#"cp a "$OUTPUT_REPORT"; echo checked > "$SUMMARY""#);
    world.create_pipeline("p", vec![("Test", vec![check])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    let mut entry = shell("Test", "Partner");
    entry["actionType"]["owner"] = json!("ThirdParty");
    let beside = Beside::start(&world, &json!([entry]), &[("CLIENT_TOKENS_SECRET", "clients/")]);

    let id = world.start("p").await;
    until(async || world.execution_status("p", &id).await == PipelineExecutionStatus::Succeeded).await;

    assert_eq!(world.action("p", "Check").await.unwrap().summary(), Some("checked"));
    assert!(!world.output_artifact("p", "Check").await.is_empty());
    let log = beside.ends_well(1).await;
    assert!(!log.contains(CLIENT_TOKEN), "{log}");
    for operation in ["GetSecretValue", "AcknowledgeThirdPartyJob", "PutThirdPartyJobSuccessResult"] {
        assert_eq!(world.emulator.calls(operation), 1, "{operation}");
    }
}
