//! Starting an execution, or finding the one that an earlier try started.

use std::time::Duration;

use codepipeline_worker::actions::Action;
use codepipeline_worker::job::FailureKind;
use serde_json::{Value, json};

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{JOB, NAME, Scenario, failed, finished, going_on};

#[tokio::test]
async fn an_execution_is_named_after_the_action_execution_and_gets_the_job_without_secrets() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    assert!(!scenario.action.wants_files());
    let continuation = going_on(scenario.start().await);
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
async fn a_lambda_invoke_job_names_the_execution_itself() {
    let fake = Fake::start().await;
    let scenario = Scenario { action_execution_id: None, ..Scenario::new(&fake.config, MACHINE) };
    assert_eq!(going_on(scenario.start().await).external_execution_id, Some(arn(JOB)));
}

#[tokio::test]
async fn a_repeated_start_finds_the_running_execution() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let first = going_on(scenario.start().await);
    assert_eq!(going_on(scenario.start().await).token, first.token);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_starts_once() {
    let fake = Fake::start().await;
    fake.fail_once("StartExecution", Fault::LoseAnswer);
    let continuation = going_on(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(continuation.external_execution_id, Some(arn(NAME)));
    assert_eq!((fake.executions(), fake.calls("StartExecution").len()), (1, 2));
}

#[tokio::test]
async fn a_repeated_start_takes_the_result_of_an_execution_that_is_over() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, &format!("{MACHINE}:PROD"));
    going_on(scenario.start().await);
    fake.succeed(NAME, &json!({"summary": "done"}));
    assert_eq!(finished(scenario.start().await).summary.as_deref(), Some("done"));
    fake.change(NAME, |execution| execution.status = "FAILED".to_owned());
    assert_eq!(failed(scenario.start().await).external_execution_id, Some(arn(NAME)));
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn an_execution_with_another_input_is_found_and_goes_on() {
    let fake = Fake::start().await;
    let mut scenario = Scenario::new(&fake.config, MACHINE);
    let first = going_on(scenario.start().await);
    scenario.configuration.push(("More".into(), "later".into()));
    assert_eq!(going_on(scenario.start().await).token, first.token);
    // It is known to be there, even when looking comes too early to see it.
    fake.fail_once("DescribeExecution", Fault::Error(400, "ExecutionDoesNotExist"));
    assert_eq!(going_on(scenario.start().await).token, first.token);
}

#[tokio::test]
async fn throttles_and_errors_of_the_service_are_tried_again() {
    let fake = Fake::start().await;
    for fault in [
        Fault::Error(400, "ThrottlingException"),
        Fault::Error(503, "ServiceUnavailable"),
        Fault::Error(500, "InternalFailure"),
    ] {
        fake.fail_once("StartExecution", fault);
    }
    going_on(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(fake.calls("StartExecution").len(), 4);
}

#[tokio::test]
async fn a_start_that_can_not_be_had_before_the_deadline_says_so_itself() {
    let fake = Fake::start().await;
    // One second of the deadline is kept for saying so.
    let scenario = Scenario { deadline: Duration::from_secs(4), ..Scenario::new(&fake.config, MACHINE) };
    fake.fail_always("StartExecution", Fault::Error(400, "ThrottlingException"));
    let failure = failed(scenario.start().await);
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert!(
        failure.message.contains("could not be started for now (ThrottlingException, HTTP 400)"),
        "{}",
        failure.message
    );
    assert_eq!(failure.external_execution_id, None);

    fake.fail_always("StartExecution", Fault::LoseAnswer);
    let failure = failed(scenario.start().await);
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert!(failure.message.contains(&format!("if {} is there, it was started all the same", arn(NAME))));
    assert_eq!(failure.external_execution_id, Some(arn(NAME)));

    // The next try of the same action execution finds what was in doubt.
    fake.recover();
    going_on(scenario.start().await);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn each_refusal_says_what_to_change() {
    let fake = Fake::start().await;
    for (error, kind, said) in [
        ("AccessDeniedException", FailureKind::PermissionError, "allow it states:StartExecution there"),
        (
            "KmsAccessDeniedException",
            FailureKind::PermissionError,
            "allow it kms:Decrypt and kms:GenerateDataKey on that key",
        ),
        ("StateMachineDeleting", FailureKind::ConfigurationError, "there is no state machine"),
        ("InvalidArn", FailureKind::ConfigurationError, "refuses to start the state machine"),
    ] {
        fake.fail_once("StartExecution", Fault::Error(400, error));
        let failure = failed(Scenario::new(&fake.config, MACHINE).start().await);
        assert_eq!(failure.kind, kind, "{error}");
        assert!(failure.message.contains(said) && failure.message.contains(error), "{}", failure.message);
        assert!(failure.message.contains(MACHINE), "{}", failure.message);
    }
    assert_eq!(fake.calls("StartExecution").len(), 4);

    let other = Scenario::new(&fake.config, &MACHINE.replace("Deploy", "Other"));
    assert!(failed(other.start().await).message.contains("StateMachineDoesNotExist"));
}

#[tokio::test]
async fn an_express_state_machine_is_refused_and_what_was_started_is_named() {
    let fake = Fake::start().await;
    fake.make_express();
    let failure = failed(Scenario::new(&fake.config, MACHINE).start().await);
    assert_eq!(failure.kind, FailureKind::ConfigurationError);
    assert!(failure.message.contains("is an express state machine"), "{}", failure.message);
    assert!(failure.external_execution_id.unwrap().contains(":express:Deploy:"));
}

#[tokio::test]
async fn an_id_that_can_be_no_name_and_an_input_that_is_too_long_start_nothing() {
    let fake = Fake::start().await;
    let odd = Scenario { action_execution_id: Some("a b".to_owned()), ..Scenario::new(&fake.config, MACHINE) };
    assert!(failed(odd.start().await).message.contains("1 to 80 of [0-9A-Za-z_-]"));
    let mut long = Scenario::new(&fake.config, MACHINE);
    long.configuration.extend((0..6).map(|i| (format!("Long{i}"), "x".repeat(50_000))));
    assert_eq!(failed(long.start().await).kind, FailureKind::ConfigurationError);
    assert_eq!(fake.calls("StartExecution").len(), 0);
}
