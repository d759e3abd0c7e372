//! A worker whose role lacks a permission names it, and does not mistake a denial for a lost race.

use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Outcome};
use codepipeline_worker::queue::QueueError;
use codepipeline_worker::worker::{InvocationError, Summary, Worker};
use serde_json::json;
use tokio::time::Instant;

use crate::support::aws_json::AwsJson;
use crate::support::log::{logged, with_message};
use crate::support::{action_type, lifecycle, sdk_config};

/// Never runs, because no job is acknowledged.
struct Idle;

impl Action for Idle {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        unreachable!("no job is ours")
    }
}

/// A service with one job. It answers its acknowledgement with this error.
async fn refusing(error: &'static str) -> AwsJson {
    AwsJson::start(move |operation, _| match operation {
        "PollForJobs" => Ok(json!({"jobs": [{"id": "job", "nonce": "3", "accountId": "1", "data": {}}]})),
        _ => Err(error),
    })
    .await
}

#[tokio::test]
async fn denied_acknowledgement_fails_the_invocation() {
    for (error, is_fault) in [("AccessDeniedException", true), ("InvalidNonceException", false)] {
        let service = refusing(error).await;
        let folder = tempfile::tempdir().unwrap();
        let lifecycle = lifecycle(&sdk_config(service.endpoint()), folder.path().join("work"));
        let served = Served::new(action_type("Test", "Custom", "Idle"), Duration::from_secs(1), Idle);
        let worker = Worker::new(lifecycle, vec![served], 4, Duration::from_secs(1));
        match worker.invoke(Instant::now() + Duration::from_secs(900)).await {
            Err(InvocationError::Denied(jobs)) => assert!(is_fault && jobs > 0, "{error}"),
            Ok(summary) => assert!(!is_fault && summary.lost > 0, "{error}: {summary:?}"),
            Err(other) => panic!("{error}: {other}"),
        }
    }
}

#[tokio::test]
async fn denial_differs_from_a_missing_job() {
    let action_type = action_type("Test", "Custom", "Idle");
    for (error, words) in [
        ("AccessDeniedException", "that its role has codepipeline:PollForJobs on the action type"),
        (
            "ActionTypeNotFoundException",
            "CodePipeline knows no action type Custom/Test/Idle/1 in us-east-1: create it, or correct ACTIONS",
        ),
    ] {
        let service = AwsJson::start(move |_, _| Err(error)).await;
        let queue = codepipeline_worker::queue::Queue::new(&sdk_config(service.endpoint()), None);
        let refused = queue.poll(&action_type, None, 1).await.err().unwrap();
        assert!(refused.to_string().contains(words), "{refused}");
    }
    for (error, is_allowed) in
        [("InvalidJobException", true), ("JobNotFoundException", true), ("AccessDeniedException", false)]
    {
        let service = refusing(error).await;
        let queue = codepipeline_worker::queue::Queue::new(&sdk_config(service.endpoint()), None);
        let polled = queue.poll(&action_type, None, 1).await.ok().unwrap();
        assert!(!polled.nothing);
        let claim =
            queue.adopt("job", &polled.offers[0].origin(), Instant::now() + Duration::from_secs(9)).await.ok().unwrap();
        let details = queue.details(claim.key(), &action_type, Instant::now() + Duration::from_secs(9)).await;
        match details.err().unwrap() {
            QueueError::Refused { .. } => assert!(is_allowed, "{error}"),
            refused @ QueueError::NotAllowed { .. } => {
                let words = refused.to_string();
                assert!(!is_allowed && words.contains("codepipeline:GetJobDetails on `*`"), "{error}: {words}");
            }
            other => panic!("{error}: {other}"),
        }
    }
}

#[tokio::test]
async fn refused_action_type_is_logged_for_an_alarm() {
    for (error, words) in [
        ("AccessDeniedException", "codepipeline:PollForJobs on the action type"),
        ("ActionTypeNotFoundException", "CodePipeline knows no action type Custom/Test/Idle/1 in us-east-1"),
        ("ValidationException", "the action type Custom/Test/Idle/1 has no queryable property `Project`"),
    ] {
        let service = AwsJson::start(move |_, _| Err(error)).await;
        let folder = tempfile::tempdir().unwrap();
        let lifecycle = lifecycle(&sdk_config(service.endpoint()), folder.path().join("work"));
        let action_type = action_type("Test", "Custom", "Idle");
        let served = Served::new(action_type.clone(), Duration::from_secs(1), Idle).query_param("Project", "web");
        let worker = Worker::new(lifecycle, vec![served], 4, Duration::from_secs(1));
        let expected = Ok(Summary { unpollable: 1, ..Summary::default() });
        let deadline = Instant::now() + Duration::from_secs(900);
        for started in [false, true] {
            let (lines, summary) = if started {
                logged(worker.action_started(&action_type, None, None, deadline)).await
            } else {
                logged(worker.invoke(deadline)).await
            };
            assert_eq!(summary, expected, "{error}");
            let lines = with_message(&lines, "can't be polled");
            assert_eq!(lines.len(), 1, "{error}: {lines:?}");
            assert_eq!((&lines[0]["level"], &lines[0]["actionType"]), (&json!("ERROR"), &json!("Custom/Test/Idle/1")));
            let said = lines[0]["error"].as_str().unwrap();
            assert!(said.contains(words) && !said.contains("web"), "{said}");
        }
        assert_eq!(service.inputs("PollForJobs").len(), 2, "{error}");
    }
}

#[tokio::test]
async fn refused_query_param_is_explained() {
    let service = AwsJson::start(move |_, _| Err("ValidationException")).await;
    let queue = codepipeline_worker::queue::Queue::new(&sdk_config(service.endpoint()), None);
    let action_type = action_type("Test", "Custom", "Idle");
    let value = |value: &str| Some(("Project".to_owned(), value.to_owned()));
    for (query_param, words) in [
        (
            value("web"),
            "has no queryable property `Project` (ValidationException, HTTP 400): correct queryParam in ACTIONS",
        ),
        (value(&"w".repeat(51)), "must have 1 to 50 characters of [a-zA-Z0-9_-], and queryParam has 51 characters"),
        (value("a b"), "must have 1 to 50 characters of [a-zA-Z0-9_-], and queryParam has 3 characters"),
        (None, "if the type has a queryable property, name it and its value as queryParam in ACTIONS"),
    ] {
        let refused = queue.poll(&action_type, query_param.as_ref(), 1).await.err().unwrap();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}
