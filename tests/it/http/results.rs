//! The messages that the service gets, and the results that it returns.

use codepipeline_worker::actions::Action;
use codepipeline_worker::job::FailureKind;
use serde_json::json;
use standardwebhooks::Webhook;

use super::scenario::{KEY, NOW, SECRET, answering};
use super::service::Response;

#[tokio::test]
async fn start_message_describes_the_job() {
    let scenario = answering([Response::status(200)]).await;
    scenario.succeed().await;
    let [request] = &scenario.service.requests()[..] else { panic!("the service must get one request") };
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
    let scenario = answering([Response::accepted("/runs/7"), Response::status(200), Response::status(200)]).await;
    let token = scenario.start_long_work().await.token;
    scenario.resume(&token).await.map_err(|failure| failure.message).unwrap();
    scenario.stop(None).await;
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
async fn service_result_becomes_the_jobs_result() {
    let body = r#"{"status": "succeeded", "summary": "3 links", "externalExecutionId": "run-7",
        "outputVariables": {"Broken": "0"}, "revision": {"revision": "abc", "changeIdentifier": "def"}}"#;
    let finished = answering([Response::json(200, body)]).await.succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("3 links"));
    assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));
    assert_eq!(finished.variables["Broken"], "0");
    assert_eq!(finished.revision.unwrap().change_identifier, "def");
}

#[tokio::test]
async fn empty_response_is_success() {
    for status in [200, 204] {
        let finished = answering([Response::status(status)]).await.succeed().await;
        assert!(finished.summary.is_none() && finished.external_execution_id.is_none(), "{status}");
    }
}

#[tokio::test]
async fn service_failure_keeps_its_type_and_message() {
    let body =
        r#"{"failure": {"type": "RevisionOutOfSync", "message": "abc is too old"}, "externalExecutionId": "run-7"}"#;
    let failure = answering([Response::json(200, body)]).await.fail().await;
    assert_eq!(failure.kind, FailureKind::RevisionOutOfSync);
    assert_eq!(failure.code.as_str(), "ServiceReportedFailure");
    assert_eq!(failure.output.as_deref(), Some("abc is too old"));
    assert_eq!(failure.external_execution_id.as_deref(), Some("run-7"));
    assert!(!failure.message.contains("abc"), "{}", failure.message);
}

#[tokio::test]
async fn malformed_result_fails_the_job_and_names_the_member() {
    let failure = answering([Response::json(200, r#"{"summary": 7}"#)]).await.fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert_eq!(failure.code.as_str(), "ServiceResponseInvalid");
    assert!(failure.message.contains("`summary`"), "{}", failure.message);
}

#[tokio::test]
async fn secrets_in_summary_and_output_are_masked() {
    let link = "https://bucket.s3.amazonaws.com/web/Site/AbC1234?X-Amz-Signature=5ecret1";
    let text = format!("{SECRET} {link} {KEY}");
    let success = json!({"summary": text, "externalExecutionId": text, "outputVariables": {"A": text}}).to_string();
    let finished = answering([Response::json(200, &success)]).await.succeed().await;
    assert_eq!(finished.summary.as_deref(), Some("**** **** ****"));
    // The lifecycle fails the job for these.
    assert_eq!((finished.external_execution_id.as_deref(), &finished.variables["A"]), (Some(text.as_str()), &text));

    let failed = json!({"failure": {"message": text}, "externalExecutionId": text}).to_string();
    let failure = answering([Response::json(200, &failed)]).await.fail().await;
    assert_eq!(failure.output.as_deref(), Some("**** **** ****"));
    assert_eq!(failure.external_execution_id, Some(text));
}

#[tokio::test]
async fn revision_is_passed_on_with_its_time() {
    let body = r#"{"revision": {"revision": "r", "changeIdentifier": "c", "summary": "s", "created": 1445412480}}"#;
    let revision = answering([Response::json(200, body)]).await.succeed().await.revision.unwrap();
    assert_eq!((revision.revision.as_str(), revision.created), ("r", Some(1_445_412_480)));
}

#[tokio::test]
async fn files_are_not_staged() {
    assert!(!answering([]).await.action.wants_files());
}

#[tokio::test]
async fn response_may_have_at_most_256_kib() {
    let limit = 256 * 1024;
    let body = |length: usize| {
        let frame = r#"{"summary": ""}"#.len();
        format!(r#"{{"summary": "{}"}}"#, "x".repeat(length - frame))
    };
    assert_eq!(body(limit).len(), limit);
    let finished = answering([Response::json(200, &body(limit))]).await.succeed().await;
    assert!(finished.summary.is_some());

    let scenario = answering([Response::json(200, &body(limit + 1))]).await;
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::JobFailed);
    assert_eq!(failure.code.as_str(), "ServiceResponseInvalid");
    assert!(failure.message.contains("262144"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 1);
}
