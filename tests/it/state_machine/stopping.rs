//! Stopping the execution of an action that was abandoned.

use codepipeline_worker::actions::{Abandoned, Action, Remains};
use codepipeline_worker::job::FailureKind;
use serde_json::json;

use super::fake::{Fake, Fault, MACHINE, arn};
use super::scenario::{NAME, Scenario, failed, going_on};

fn abandoned(id: &str, token: Option<&str>) -> Abandoned {
    Abandoned { execution_id: id.to_owned(), token: token.map(str::to_owned) }
}

#[tokio::test]
async fn an_abandoned_execution_is_found_by_its_name_alone_and_stopped() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, &format!("{MACHINE}:PROD"));
    let token = going_on(scenario.start().await).token;
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    let stopped = fake.execution(NAME).unwrap();
    assert_eq!((stopped.status.as_str(), stopped.error.as_deref()), ("ABORTED", Some("CodePipeline.Abandoned")));
    assert!(failed(scenario.resume(&token).await).message.contains("was stopped"));
}

#[tokio::test]
async fn the_token_names_the_execution_where_it_is_known() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let token = going_on(scenario.start().await).token;
    assert!(scenario.action.stop(&abandoned("another", Some(&token))).await.is_ok());
    assert_eq!(fake.execution(NAME).unwrap().status, "ABORTED");
}

#[tokio::test]
async fn work_that_is_over_or_was_never_begun_needs_no_stop() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    assert!(scenario.action.stop(&abandoned("never-begun", None)).await.is_ok());
    assert!(scenario.action.stop(&abandoned("no name at all", Some("foreign"))).await.is_ok());
    assert_eq!(
        fake.calls("StopExecution"),
        [json!({
            "executionArn": arn("never-begun"),
            "error": "CodePipeline.Abandoned",
            "cause": "the CodePipeline action that this execution was started for was abandoned or cancelled"
        })]
    );
    going_on(scenario.start().await);
    fake.succeed(NAME, &json!({}));
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    assert_eq!(fake.execution(NAME).unwrap().status, "SUCCEEDED");
}

#[tokio::test]
async fn the_execution_of_a_failed_action_is_stopped_if_it_runs() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    let remains = async || scenario.action.stop_failed(&abandoned(NAME, None)).await.ok().unwrap();
    assert_eq!(remains().await, Remains::Nothing, "it was never begun");
    going_on(scenario.start().await);
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
async fn a_stop_is_tried_again_and_a_refusal_is_told() {
    let fake = Fake::start().await;
    let scenario = Scenario::new(&fake.config, MACHINE);
    going_on(scenario.start().await);
    fake.fail_once("StopExecution", Fault::Error(400, "ThrottlingException"));
    fake.fail_once("StopExecution", Fault::LoseAnswer);
    assert!(scenario.action.stop(&abandoned(NAME, None)).await.is_ok());
    assert_eq!(fake.calls("StopExecution").len(), 3);
    fake.fail_once("StopExecution", Fault::Error(400, "AccessDeniedException"));
    let failure = scenario.action.stop(&abandoned(NAME, None)).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::PermissionError);
    assert!(failure.message.contains("allow it states:StopExecution there"), "{}", failure.message);
}
