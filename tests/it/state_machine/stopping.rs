//! Stopping the execution of an action that was abandoned.

use codepipeline_worker::actions::{Abandoned, Action, Remains};
use codepipeline_worker::job::FailureKind;
use serde_json::json;

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{NAME, Scenario, continued, failed};

fn abandoned(id: &str, token: Option<&str>) -> Abandoned {
    Abandoned { execution_id: id.to_owned(), token: token.map(str::to_owned) }
}

#[tokio::test]
async fn abandoned_execution_is_found_by_name_and_stopped() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, &format!("{MACHINE}:PROD"));
    let token = continued(scenario.start().await).token;
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    let stopped = fake.execution(NAME).unwrap();
    assert_eq!((stopped.status.as_str(), stopped.error.as_deref()), ("ABORTED", Some("CodePipeline.Abandoned")));
    assert_eq!(failed(scenario.resume(&token).await).code.as_str(), "ExecutionEndedBadly");
}

#[tokio::test]
async fn execution_in_the_token_is_stopped() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let token = continued(scenario.start().await).token;
    assert!(scenario.action.stop(&abandoned("another", Some(&token))).await.is_ok());
    assert_eq!(fake.execution(NAME).unwrap().status, "ABORTED");
}

#[tokio::test]
async fn ended_or_missing_execution_needs_no_stop() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    assert!(scenario.action.stop(&abandoned("never-started", None)).await.is_ok());
    assert!(scenario.action.stop(&abandoned("not a name", Some("foreign"))).await.is_ok());
    assert_eq!(
        fake.calls("StopExecution"),
        [json!({
            "executionArn": arn("never-started"),
            "error": "CodePipeline.Abandoned",
            "cause": "the CodePipeline action that this execution was started for was abandoned or cancelled"
        })]
    );
    continued(scenario.start().await);
    fake.succeed(NAME, &json!({}));
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    assert_eq!(fake.execution(NAME).unwrap().status, "SUCCEEDED");
}

#[tokio::test]
async fn running_execution_of_a_failed_action_is_stopped() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let remains = async || scenario.action.stop_failed(&abandoned(NAME, None)).await.ok().unwrap();
    assert_eq!(remains().await, Remains::Nothing, "it never started");
    continued(scenario.start().await);
    assert_eq!(remains().await, Remains::Stopped);
    let stopped = fake.execution(NAME).unwrap();
    assert_eq!((stopped.status.as_str(), stopped.error.as_deref()), ("ABORTED", Some("CodePipeline.Failed")));
    for status in ["ABORTED", "SUCCEEDED", "FAILED", "TIMED_OUT"] {
        fake.change(NAME, |execution| execution.status = status.to_owned());
        assert_eq!(remains().await, Remains::Nothing, "{status}");
    }
    assert_eq!(fake.calls("StopExecution").len(), 1);
    assert_eq!(fake.calls("DescribeExecution")[0]["includedData"], "METADATA_ONLY");
    fake.fail_always("DescribeExecution", Fault::Error(400, "ThrottlingException"));
    let failure = scenario.action.stop_failed(&abandoned(NAME, None)).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
}

#[tokio::test]
async fn stop_is_retried_and_a_refusal_is_a_failure() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    continued(scenario.start().await);
    fake.fail_once("StopExecution", Fault::Error(400, "ThrottlingException"));
    fake.fail_once("StopExecution", Fault::LoseAnswer);
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    assert_eq!(fake.calls("StopExecution").len(), 3);
    fake.fail_once("StopExecution", Fault::Error(400, "AccessDeniedException"));
    let failure = scenario.action.stop(&abandoned(NAME, None)).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::PermissionError);
    assert_eq!(failure.code.as_str(), "StepFunctionsDenied");
    assert!(failure.message.contains("states:StopExecution"), "{}", failure.message);
}
