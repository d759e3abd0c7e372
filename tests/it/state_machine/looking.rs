//! Looking at an execution that an earlier job started.

use std::time::Duration;

use codepipeline_worker::job::{FailureKind, ObjectPlace};
use serde_json::json;

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{NAME, Scenario, failed, finished, going_on};

/// A scenario whose execution runs, and its token.
async fn running(fake: &Fake) -> (Scenario, String) {
    let scenario = Scenario::new(&fake.config, MACHINE);
    let token = going_on(scenario.start().await).token;
    (scenario, token)
}

#[tokio::test]
async fn an_execution_goes_on_until_it_is_over() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for status in ["RUNNING", "PENDING_REDRIVE", "HIBERNATING"] {
        fake.change(NAME, |execution| execution.status = status.to_owned());
        let continuation = going_on(scenario.resume(&token).await);
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
    // The link to the execution stays, unless the output has a better one.
    assert_eq!(done.external_execution_id, Some(arn(NAME)));
    fake.succeed(NAME, &json!({"externalExecutionId": "run-7"}));
    assert_eq!(finished(scenario.resume(&token).await).external_execution_id.as_deref(), Some("run-7"));
}

#[tokio::test]
async fn each_bad_end_is_a_failure_with_the_executions_error_and_cause() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for (status, said) in [("FAILED", "failed"), ("TIMED_OUT", "timed out"), ("ABORTED", "was stopped")] {
        fake.change(NAME, |execution| {
            execution.status = status.to_owned();
            execution.error = Some("States.TaskFailed".to_owned());
            execution.cause = Some("db-7 is down".to_owned());
        });
        let failure = failed(scenario.resume(&token).await);
        assert_eq!(failure.kind, FailureKind::JobFailed);
        assert_eq!(failure.message, format!("the execution {} {said} with the error `States.TaskFailed`", arn(NAME)));
        assert_eq!(failure.output.as_deref(), Some("db-7 is down"));
        assert_eq!(failure.external_execution_id, Some(arn(NAME)));
    }
}

#[tokio::test]
async fn an_output_that_can_not_be_used_fails_the_job_and_keeps_the_link() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    fake.succeed(NAME, &json!({"artifacts": {"Other": {"bucket": "b", "key": "k"}}}));
    let failure = failed(scenario.resume(&token).await);
    assert!(failure.message.contains("'Other', which is not an output artifact of the action; the action has Report"));
    assert_eq!(failure.external_execution_id, Some(arn(NAME)));
}

#[tokio::test]
async fn an_execution_that_can_not_be_looked_at_for_now_goes_on() {
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
        assert_eq!(going_on(scenario.resume(&token).await).token, token, "{fault:?}");
    }
    fake.recover();
    fake.succeed(NAME, &json!(null));
    finished(scenario.resume(&token).await);
}

#[tokio::test]
async fn refusals_and_missing_executions_are_failures() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    for (error, kind, said) in [
        ("AccessDeniedException", FailureKind::PermissionError, "allow it states:DescribeExecution there"),
        ("ExecutionDoesNotExist", FailureKind::JobFailed, "there is no execution"),
        ("InvalidArn", FailureKind::ConfigurationError, "refuses to look at the execution"),
    ] {
        fake.fail_once("DescribeExecution", Fault::Error(400, error));
        let failure = failed(scenario.resume(&token).await);
        assert_eq!(failure.kind, kind, "{error}");
        assert!(failure.message.contains(said), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_young_execution_that_does_not_show_yet_goes_on() {
    let fake = Fake::start().await;
    let (mut scenario, token) = running(&fake).await;
    fake.fail_always("DescribeExecution", Fault::Error(400, "ExecutionDoesNotExist"));
    scenario.age = Duration::from_secs(59);
    assert_eq!(going_on(scenario.resume(&token).await).token, token);
    scenario.age = Duration::from_secs(60);
    let failure = failed(scenario.resume(&token).await);
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert!(!failure.runs_on, "there is nothing to stop");
}

#[tokio::test]
async fn an_execution_that_may_not_be_looked_at_is_to_be_stopped() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    fake.fail_once("DescribeExecution", Fault::Error(400, "AccessDeniedException"));
    assert!(failed(scenario.resume(&token).await).runs_on);
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_named_with_its_permission() {
    let fake = Fake::start().await;
    let (scenario, token) = running(&fake).await;
    let message = "User is not authorized to perform: kms:Decrypt on this resource";
    for (fault, kind, advice) in [
        (Fault::Error(400, "KmsAccessDeniedException"), FailureKind::PermissionError, "allow it kms:Decrypt"),
        (Fault::Denied(message), FailureKind::PermissionError, "allow it kms:Decrypt"),
        (Fault::Error(400, "KmsInvalidStateException"), FailureKind::ConfigurationError, "enable that key"),
    ] {
        fake.fail_once("DescribeExecution", fault.clone());
        let failure = failed(scenario.resume(&token).await);
        assert_eq!(failure.kind, kind, "{fault:?}");
        assert!(failure.message.contains(advice) && failure.message.contains("kms:Decrypt"), "{}", failure.message);
        assert!(!failure.message.contains("GenerateDataKey"), "{}", failure.message);
        fake.fail_once("StartExecution", fault.clone());
        let failure = failed(scenario.start().await);
        assert_eq!(failure.kind, kind, "{fault:?}");
        let both = "kms:Decrypt and kms:GenerateDataKey";
        assert!(failure.message.contains(advice) && failure.message.contains(both), "{}", failure.message);
    }
    fake.fail_once("StartExecution", Fault::Error(400, "KmsThrottlingException"));
    going_on(scenario.start().await);
    assert_eq!(fake.executions(), 1);
}

#[tokio::test]
async fn a_foreign_token_asks_nothing() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    for (token, said) in [("{\"build\": 7}", "not one of a state machine action"), ("states/9:x", "newer worker")] {
        let failure = failed(scenario.resume(token).await);
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert!(failure.message.contains(said), "{}", failure.message);
        assert!(!failure.message.contains(token));
    }
    assert_eq!(fake.calls("DescribeExecution").len(), 0);
}
