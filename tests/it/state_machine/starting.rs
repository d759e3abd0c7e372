//! Starting an execution, or finding the one that an earlier try started.

use std::time::Duration;

use codepipeline_worker::actions::Action;
use codepipeline_worker::job::FailureKind;
use serde_json::{Value, json};

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{JOB, NAME, Scenario, continued, failed, finished};

#[tokio::test]
async fn execution_gets_the_action_executions_id_and_no_secret() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    assert!(!scenario.action.wants_files());
    let continuation = continued(scenario.start().await);
    assert_eq!(continuation.external_execution_id, Some(arn(NAME)));
    assert_eq!(continuation.percent_complete, None);
    assert!(continuation.token.chars().count() <= 2048);
    let input: Value = serde_json::from_str(&fake.execution(NAME).unwrap().input).unwrap();
    assert_eq!(input["actionExecutionId"], NAME);
    assert_eq!(input["configuration"], json!({"Target": "blue"}));
    assert_eq!(input["inputArtifacts"]["Source"], json!({"bucket": "store", "key": "web/Source/a1", "revision": null}));
    assert_eq!(input["outputArtifacts"]["Report"], json!({"bucket": "store", "key": "web/Report/b2"}));
}

#[tokio::test]
async fn invoke_jobs_execution_has_the_jobs_id() {
    let fake = Fake::start().await;
    let scenario = Scenario { action_execution_id: None, ..Scenario::new(&fake.config, MACHINE) };
    assert_eq!(continued(scenario.start().await).external_execution_id, Some(arn(JOB)));
}

#[tokio::test]
async fn repeated_start_finds_the_running_execution() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let first = continued(scenario.start().await);
    assert_eq!(continued(scenario.start().await).token, first.token);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn start_with_a_lost_response_starts_once() {
    let fake = Fake::start().await;
    fake.fail_once("StartExecution", Fault::LoseAnswer);
    let continuation = continued(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(continuation.external_execution_id, Some(arn(NAME)));
    assert_eq!((fake.executions(), fake.calls("StartExecution").len()), (1, 2));
}

#[tokio::test]
async fn repeated_start_takes_the_result_of_an_ended_execution() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, &format!("{MACHINE}:PROD"));
    continued(scenario.start().await);
    fake.succeed(NAME, &json!({"summary": "done"}));
    assert_eq!(finished(scenario.start().await).summary.as_deref(), Some("done"));
    fake.change(NAME, |execution| execution.status = "FAILED".to_owned());
    assert_eq!(failed(scenario.start().await).external_execution_id, Some(arn(NAME)));
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn execution_with_another_input_is_found_and_continues() {
    let fake = Fake::start().await;
    let mut scenario = Scenario::new(&fake.config, MACHINE);
    let first = continued(scenario.start().await);
    scenario.configuration.push(("More".into(), "later".into()));
    assert_eq!(continued(scenario.start().await).token, first.token);
    // The refused start proves that the execution exists, even if it is not visible yet.
    fake.fail_once("DescribeExecution", Fault::Error(400, "ExecutionDoesNotExist"));
    assert_eq!(continued(scenario.start().await).token, first.token);
}

#[tokio::test]
async fn throttled_or_failed_start_is_retried() {
    let fake = Fake::start().await;
    for fault in [
        Fault::Error(400, "ThrottlingException"),
        Fault::Error(503, "ServiceUnavailable"),
        Fault::Error(500, "InternalFailure"),
    ] {
        fake.fail_once("StartExecution", fault);
    }
    continued(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(fake.calls("StartExecution").len(), 4);
}

#[tokio::test]
async fn start_without_success_fails_before_the_deadline() {
    let fake = Fake::start().await;
    // The action keeps a second for the report.
    let scenario = Scenario { deadline: Duration::from_secs(4), ..Scenario::new(&fake.config, MACHINE) };
    fake.fail_always("StartExecution", Fault::Error(400, "ThrottlingException"));
    let failure = failed(scenario.start().await);
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "StepFunctionsUnavailable");
    assert!(failure.message.contains("ThrottlingException"), "{}", failure.message);
    assert_eq!(failure.external_execution_id, None);

    fake.fail_always("StartExecution", Fault::LoseAnswer);
    let failure = failed(scenario.start().await);
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "ExecutionStartUnanswered");
    assert!(failure.message.contains(&arn(NAME)), "{}", failure.message);
    assert_eq!(failure.external_execution_id, Some(arn(NAME)));

    // The next try of the same action execution finds the execution of the unanswered start.
    fake.recover();
    continued(scenario.start().await);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn each_refusal_has_its_code_and_names_the_machine() {
    let fake = Fake::start().await;
    for (error, kind, code) in [
        ("AccessDeniedException", FailureKind::PermissionError, "StepFunctionsDenied"),
        ("KmsAccessDeniedException", FailureKind::PermissionError, "StateMachineKeyUnusable"),
        ("StateMachineDeleting", FailureKind::ConfigurationError, "StateMachineNotFound"),
        ("InvalidArn", FailureKind::ConfigurationError, "StepFunctionsRefused"),
    ] {
        fake.fail_once("StartExecution", Fault::Error(400, error));
        let failure = failed(Scenario::new(&fake.config, MACHINE).start().await);
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{error}");
        assert!(failure.message.contains(error) && failure.message.contains(MACHINE), "{}", failure.message);
    }
    assert_eq!(fake.calls("StartExecution").len(), 4);

    let other = Scenario::new(&fake.config, &MACHINE.replace("Deploy", "Other"));
    assert_eq!(failed(other.start().await).code.as_str(), "StateMachineNotFound");
}

#[tokio::test]
async fn express_machine_fails_and_its_execution_is_named() {
    let fake = Fake::start().await;
    fake.make_express();
    let failure = failed(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(failure.kind, FailureKind::ConfigurationError);
    assert_eq!(failure.code.as_str(), "ExpressStateMachine");
    assert!(failure.external_execution_id.unwrap().contains(":express:Deploy:"));
}

#[tokio::test]
async fn invalid_name_or_too_long_input_starts_nothing() {
    let fake = Fake::start().await;
    let invalid = Scenario { action_execution_id: Some("a b".to_owned()), ..Scenario::new(&fake.config, MACHINE) };
    let failure = failed(invalid.start().await);
    assert_eq!(failure.code.as_str(), "ExecutionNameInvalid");
    assert!(failure.message.contains("80"), "{}", failure.message);
    let mut long = Scenario::new(&fake.config, MACHINE);
    long.configuration.extend((0..6).map(|i| (format!("Long{i}"), "x".repeat(50_000))));
    assert_eq!(failed(long.start().await).code.as_str(), "ExecutionInputTooLarge");
    assert_eq!(fake.calls("StartExecution").len(), 0);
}
