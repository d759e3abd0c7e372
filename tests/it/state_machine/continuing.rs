//! Continuing an execution that an earlier job started.

use std::time::Duration;

use codepipeline_worker::job::{FailureKind, ObjectPlace};
use serde_json::json;

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{NAME, Scenario, continued, failed, finished};

/// A scenario with a running execution, and its token.
async fn running(fake: &Fake) -> (Scenario, String) {
    let scenario = Scenario::new(&fake.config, MACHINE);
    let token = continued(scenario.start().await).token;
    (scenario, token)
}

#[tokio::test]
async fn execution_continues_until_it_ends() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for status in ["RUNNING", "PENDING_REDRIVE", "HIBERNATING"] {
        fake.change(NAME, |execution| execution.status = status.to_owned());
        let continuation = continued(scenario.resume(&token).await);
        assert_eq!(
            (continuation.token, continuation.external_execution_id),
            (token.clone(), Some(arn(NAME))),
            "{status}"
        );
    }
    fake.succeed(
        NAME,
        &json!({
            "summary": "12 hosts",
            "percentComplete": 90,
            "outputVariables": {"Version": "1.2", "Hosts": 12},
            "artifacts": {"Report": {"bucket": "results", "key": "report.zip"}}
        }),
    );
    let done = finished(scenario.resume(&token).await);
    assert_eq!((done.summary.as_deref(), done.percent_complete), (Some("12 hosts"), Some(90)));
    assert_eq!(done.variables.len(), 2);
    assert_eq!(done.outputs["Report"], ObjectPlace { bucket: "results".into(), key: "report.zip".into() });
    // The id of the execution stays, unless the output has another one.
    assert_eq!(done.external_execution_id, Some(arn(NAME)));
    fake.succeed(NAME, &json!({"externalExecutionId": "run-7"}));
    assert_eq!(finished(scenario.resume(&token).await).external_execution_id.as_deref(), Some("run-7"));
}

#[tokio::test]
async fn unsuccessful_end_fails_with_error_and_cause() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for status in ["FAILED", "TIMED_OUT", "ABORTED"] {
        fake.change(NAME, |execution| {
            execution.status = status.to_owned();
            execution.error = Some("States.TaskFailed".to_owned());
            execution.cause = Some("db-7 is down".to_owned());
        });
        let failure = failed(scenario.resume(&token).await);
        assert_eq!(failure.kind, FailureKind::JobFailed);
        assert_eq!(failure.code.as_str(), "ExecutionEndedBadly");
        assert!(failure.message.contains(&arn(NAME)) && failure.message.contains("States.TaskFailed"));
        assert_eq!(failure.output.as_deref(), Some("db-7 is down"));
        assert_eq!(failure.external_execution_id, Some(arn(NAME)));
    }
}

#[tokio::test]
async fn unusable_output_fails_the_job_and_keeps_the_id() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    fake.succeed(NAME, &json!({"artifacts": {"Other": {"bucket": "b", "key": "k"}}}));
    let failure = failed(scenario.resume(&token).await);
    assert_eq!(failure.code.as_str(), "ExecutionOutputInvalid");
    assert!(failure.message.contains("Other") && failure.message.contains("Report"), "{}", failure.message);
    assert_eq!(failure.external_execution_id, Some(arn(NAME)));
}

#[tokio::test]
async fn execution_continues_while_step_functions_fails() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for fault in [
        Fault::Error(400, "ThrottlingException"),
        Fault::Error(400, "KmsThrottlingException"),
        Fault::Error(400, "ExpiredTokenException"),
        Fault::Error(500, "InternalFailure"),
        Fault::Error(503, "ServiceUnavailable"),
        Fault::LoseAnswer,
    ] {
        fake.fail_always("DescribeExecution", fault.clone());
        assert_eq!(continued(scenario.resume(&token).await).token, token, "{fault:?}");
    }
    fake.recover();
    fake.succeed(NAME, &json!(null));
    finished(scenario.resume(&token).await);
}

#[tokio::test]
async fn refusals_and_missing_executions_fail_the_job() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for (error, kind, code, name) in [
        ("AccessDeniedException", FailureKind::PermissionError, "StepFunctionsDenied", "states:DescribeExecution"),
        ("ExecutionDoesNotExist", FailureKind::JobFailed, "ExecutionNotFound", NAME),
        ("InvalidArn", FailureKind::ConfigurationError, "StepFunctionsRefused", NAME),
    ] {
        fake.fail_once("DescribeExecution", Fault::Error(400, error));
        let failure = failed(scenario.resume(&token).await);
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{error}");
        assert!(failure.message.contains(name), "{}", failure.message);
    }
}

#[tokio::test]
async fn young_execution_may_not_be_visible_yet() {
    let fake = Fake::start().await;
    let (mut scenario, token) = running(&fake).await;
    fake.fail_always("DescribeExecution", Fault::Error(400, "ExecutionDoesNotExist"));
    scenario.age = Duration::from_secs(59);
    assert_eq!(continued(scenario.resume(&token).await).token, token);
    scenario.age = Duration::from_secs(60);
    let failure = failed(scenario.resume(&token).await);
    assert_eq!(failure.code.as_str(), "ExecutionNotFound");
    assert!(!failure.runs_on, "there is nothing to stop");
}

#[tokio::test]
async fn execution_without_access_runs_on_after_the_failure() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    fake.fail_once("DescribeExecution", Fault::Error(400, "AccessDeniedException"));
    assert!(failed(scenario.resume(&token).await).runs_on);
}

#[tokio::test]
async fn unusable_key_fails_with_the_permission_it_needs() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    let message = "User is not authorized to perform: kms:Decrypt on this resource";
    for (fault, kind) in [
        (Fault::Error(400, "KmsAccessDeniedException"), FailureKind::PermissionError),
        (Fault::Denied(message), FailureKind::PermissionError),
        (Fault::Error(400, "KmsInvalidStateException"), FailureKind::ConfigurationError),
    ] {
        fake.fail_once("DescribeExecution", fault.clone());
        let failure = failed(scenario.resume(&token).await);
        assert_eq!(failure.kind, kind, "{fault:?}");
        assert_eq!(failure.code.as_str(), "StateMachineKeyUnusable");
        assert!(failure.message.contains("kms:Decrypt"), "{}", failure.message);
        assert!(!failure.message.contains("GenerateDataKey"), "{}", failure.message);
        fake.fail_once("StartExecution", fault.clone());
        let failure = failed(scenario.start().await);
        assert_eq!(failure.kind, kind, "{fault:?}");
        assert_eq!(failure.code.as_str(), "StateMachineKeyUnusable");
        for permission in ["kms:Decrypt", "kms:GenerateDataKey"] {
            assert!(failure.message.contains(permission), "{}", failure.message);
        }
    }
    fake.fail_once("StartExecution", Fault::Error(400, "KmsThrottlingException"));
    continued(scenario.start().await);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn foreign_token_fails_the_job_without_a_call() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    for token in ["{\"build\": 7}", "states/9:x"] {
        let failure = failed(scenario.resume(token).await);
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert_eq!(failure.code.as_str(), "StateMachineTokenInvalid");
        assert!(!failure.message.contains(token));
    }
    assert_eq!(fake.calls("DescribeExecution").len(), 0);
}
