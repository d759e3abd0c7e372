//! What the service gets, and what its final answers mean.

use codepipeline_worker::actions::Action;
use codepipeline_worker::job::FailureKind;
use serde_json::json;
use standardwebhooks::Webhook;

use super::scenario::{KEY, NOW, SECRET, answering};
use super::service::Answer;

#[tokio::test]
async fn the_service_gets_all_that_it_needs() {
    let scenario = answering([Answer::status(200)]).await;
    scenario.succeed().await;
    let [request] = &scenario.service.requests()[..] else { panic!("not one request") };
    assert_eq!(request.line, "POST /jobs?of=web HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    let link = |name: &str, number: u32| {
        format!("https://bucket.s3.amazonaws.com/web/{name}/AbC1234?X-Amz-Signature=5ecret{number}")
    };
    let expected = json!({
        "type": "job.started",
        "timestamp": "2026-01-31T12:00:00Z",
        "data": {
            "executionId": "execution-1",
            "jobId": "job-1",
            "actionType": {"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"},
            "pipeline": {"name": "web", "stage": "Test", "action": "Links", "arn": null, "executionId": null},
            "configuration": {"Url": "https://example.com/ü", "Token": SECRET},
            "inputs": [
                {"name": "Site", "revision": "abc", "method": "GET", "url": link("Site", 1), "headers": {}},
                {"name": "Rules", "revision": null, "method": "GET", "url": link("Rules", 2), "headers": {}},
            ],
            "outputs": [{
                "name": "Report", "method": "PUT", "url": link("Report", 3),
                "headers": {"x-amz-server-side-encryption": "aws:kms"},
            }],
        },
    });
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn every_message_is_signed_and_dated() {
    let scenario = answering([Answer::accepted("/runs/7"), Answer::status(200), Answer::status(200)]).await;
    let token = scenario.go_on().await.token;
    scenario.resume(&token).await.map_err(|failure| failure.message).unwrap();
    scenario.stop(None).await.unwrap();
    let requests = scenario.service.requests();
    let ids: Vec<_> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids, ["start_job-1", "continue_job-2", "abandon_execution-1"]);
    for request in &requests {
        assert_eq!(request.header("webhook-timestamp"), NOW.to_string());
        let id = request.header("webhook-id");
        let expected =
            Webhook::new(KEY).unwrap().sign(id, i64::try_from(NOW).unwrap(), request.body.as_bytes()).unwrap();
        assert_eq!(request.header("webhook-signature"), expected);
    }
}

#[tokio::test]
async fn a_result_becomes_the_jobs() {
    let body = r#"{"status": "succeeded", "summary": "3 links", "externalExecutionId": "run-7",
        "outputVariables": {"Broken": "0"}, "revision": {"revision": "abc", "changeIdentifier": "def"}}"#;
    let finished = answering([Answer::json(200, body)]).await.succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("3 links"));
    assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));
    assert_eq!(finished.variables["Broken"], "0");
    assert_eq!(finished.revision.unwrap().change_identifier, "def");
}

#[tokio::test]
async fn an_answer_without_a_body_is_success() {
    for status in [200, 204] {
        let finished = answering([Answer::status(status)]).await.succeed().await;
        assert!(finished.summary.is_none() && finished.external_execution_id.is_none(), "{status}");
    }
}

#[tokio::test]
async fn a_failure_has_the_type_and_the_words_of_the_service() {
    let body =
        r#"{"failure": {"type": "RevisionOutOfSync", "message": "abc is too old"}, "externalExecutionId": "run-7"}"#;
    let failure = answering([Answer::json(200, body)]).await.fail().await;
    assert_eq!(failure.kind, FailureKind::RevisionOutOfSync);
    assert_eq!(failure.output.as_deref(), Some("abc is too old"));
    assert_eq!(failure.external_execution_id.as_deref(), Some("run-7"));
    assert!(!failure.message.contains("abc"), "{}", failure.message);
}

#[tokio::test]
async fn a_malformed_result_fails_the_job_and_names_the_member() {
    let failure = answering([Answer::json(200, r#"{"summary": 7}"#)]).await.fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert_eq!(failure.message, "the service's response is invalid: `summary` must be a string");
}

#[tokio::test]
async fn secrets_that_the_service_repeats_are_masked_in_prose() {
    let link = "https://bucket.s3.amazonaws.com/web/Site/AbC1234?X-Amz-Signature=5ecret1";
    let said = format!("{SECRET} {link} {KEY}");
    let success = json!({"summary": said, "externalExecutionId": said, "outputVariables": {"A": said}}).to_string();
    let finished = answering([Answer::json(200, &success)]).await.succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("**** **** ****"));
    // The lifecycle fails the job for these.
    assert_eq!((finished.external_execution_id.as_deref(), &finished.variables["A"]), (Some(said.as_str()), &said));

    let failed = json!({"failure": {"message": said}, "externalExecutionId": said}).to_string();
    let failure = answering([Answer::json(200, &failed)]).await.fail().await;
    assert_eq!(failure.output.as_deref(), Some("**** **** ****"));
    assert_eq!(failure.external_execution_id, Some(said));
}

#[tokio::test]
async fn a_revision_has_a_time_and_is_handed_on() {
    let body = r#"{"revision": {"revision": "r", "changeIdentifier": "c", "summary": "s", "created": 1445412480}}"#;
    let revision = answering([Answer::json(200, body)]).await.succeed().await.revision.unwrap();
    assert_eq!((revision.revision.as_str(), revision.created), ("r", Some(1_445_412_480)));
}

#[tokio::test]
async fn files_are_not_staged() {
    assert!(!answering([]).await.action.wants_files());
}

#[tokio::test]
async fn an_answer_may_have_256_kib_and_no_more() {
    let limit = 256 * 1024;
    let body = |length: usize| {
        let frame = r#"{"summary": ""}"#.len();
        format!(r#"{{"summary": "{}"}}"#, "x".repeat(length - frame))
    };
    assert_eq!(body(limit).len(), limit);
    let finished = answering([Answer::json(200, &body(limit))]).await.succeed().await;
    assert!(finished.summary.is_some());

    let scenario = answering([Answer::json(200, &body(limit + 1))]).await;
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert!(failure.message.contains("longer than 262144 bytes"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 1);
}
