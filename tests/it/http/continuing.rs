//! Work that outlasts an invocation.

use codepipeline_worker::job::FailureKind;
use serde_json::{Value, json};

use super::scenario::{NOW, answering, continued, finished};
use super::service::Response;

#[tokio::test]
async fn work_continues_at_its_location_until_it_ends() {
    let scenario = answering([
        Response::json(202, r#"{"summary": "queued", "externalExecutionId": "run-7"}"#).header("Location", "/runs/7"),
        Response::json(202, r#"{"percentComplete": 50}"#),
        Response::json(202, r#"{"summary": "uploading", "percentComplete": 90}"#).header("Location", "7/upload"),
        Response::json(200, r#"{"outputVariables": {"Broken": "0"}}"#),
    ])
    .await;
    let first = scenario.start_long_work().await;
    assert_eq!((first.summary.as_deref(), first.percent_complete), (Some("queued"), None));
    assert_eq!(first.external_execution_id.as_deref(), Some("run-7"));

    let second = continued(scenario.resume(&first.token).await);
    assert_eq!((second.summary.as_deref(), second.percent_complete), (Some("queued"), Some(50)));
    assert_eq!(second.external_execution_id.as_deref(), Some("run-7"));

    let third = continued(scenario.resume(&second.token).await);
    assert_eq!((third.summary.as_deref(), third.percent_complete), (Some("uploading"), Some(90)));

    let finished = finished(scenario.resume(&third.token).await);
    assert_eq!(finished.variables["Broken"], "0");
    assert_eq!(finished.external_execution_id.as_deref(), Some("run-7"));

    let requests = scenario.service.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.line.as_str()).collect();
    let expected = ["/jobs?of=web", "/runs/7", "/runs/7", "/runs/7/upload"];
    assert_eq!(lines, expected.map(|path| format!("POST {path} HTTP/1.1")));
    assert_eq!(requests[1].json()["type"], "job.continued");
    assert_eq!(requests[1].json()["data"]["jobId"], "job-2");
}

#[tokio::test]
async fn each_continuation_has_fresh_links() {
    let scenario = answering([Response::accepted("/runs/7"), Response::status(200)]).await;
    let token = scenario.start_long_work().await.token;
    finished(scenario.resume(&token).await);
    let [first, second] = [0, 1].map(|index| scenario.service.requests()[index].json());
    for (member, index) in [("inputs", 0), ("inputs", 1), ("outputs", 0)] {
        let [first, second] = [&first, &second].map(|body| &body["data"][member][index]);
        assert_eq!(first["name"], second["name"]);
        assert_ne!(first["url"], second["url"]);
    }
}

#[tokio::test]
async fn token_holds_no_configuration_and_no_link() {
    let progress = json!({"summary": "hunter22-the-token", "externalExecutionId": "run-7"}).to_string();
    let scenario = answering([Response::json(202, &progress).header("Location", "/runs/7")]).await;
    let token = scenario.start_long_work().await.token;
    for secret in ["hunter22", "5ecret", "example.com", "whsec"] {
        assert!(!token.contains(secret), "{token}");
    }
    assert!(token.len() < 1500);
}

#[tokio::test]
async fn unreadable_progress_does_not_end_the_work() {
    for body in ["Accepted", r#"{"percentComplete": 500}"#, "[]"] {
        let scenario = answering([Response::json(202, body).header("Location", "/runs/7")]).await;
        assert_eq!(scenario.start_long_work().await.percent_complete, None, "{body}");
    }
}

#[tokio::test]
async fn continuation_waits_for_retry_after() {
    let busy = |seconds: &str| Response::accepted("/runs/7").header("Retry-After", seconds);
    let scenario = answering([busy("120"), Response::status(200)]).await;
    let first = scenario.start_long_work().await;
    let second = continued(scenario.resume(&first.token).await);
    assert_eq!(second.token, first.token);
    assert_eq!(scenario.service.requests().len(), 1);

    let mut token: Value = serde_json::from_str(&first.token).unwrap();
    assert_eq!(token["notBefore"], NOW + 120);
    token["notBefore"] = NOW.into();
    finished(scenario.resume(&token.to_string()).await);

    let scenario = answering([busy("86400")]).await;
    let token: Value = serde_json::from_str(&scenario.start_long_work().await.token).unwrap();
    assert_eq!(token["notBefore"], NOW + 3600);
}

#[tokio::test]
async fn refused_continuation_fails_the_job() {
    for (status, kind, code) in [
        (400, FailureKind::ConfigurationError, "ServiceRejectedConfiguration"),
        (403, FailureKind::PermissionError, "ServiceDeniedSignature"),
        (404, FailureKind::JobFailed, "ServiceForgotWork"),
        (410, FailureKind::JobFailed, "ServiceForgotWork"),
    ] {
        let accepted = Response::json(202, r#"{"externalExecutionId": "run-7"}"#).header("Location", "/runs/7");
        let scenario = answering([accepted, Response::status(status)]).await;
        let token = scenario.start_long_work().await.token;
        let failure = scenario.resume(&token).await.err().unwrap();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
        assert_eq!(failure.external_execution_id.as_deref(), Some("run-7"));
    }
}

#[tokio::test]
async fn foreign_token_fails_the_job_without_a_request() {
    let scenario = answering([]).await;
    for token in ["", "arn:aws:states:…", r#"{"http":1,"location":"https://example.com/"}"#] {
        let failure = scenario.resume(token).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::ConfigurationError, "{token}");
        assert_eq!(failure.code.as_str(), "HttpTokenInvalid", "{token}");
    }
    assert!(scenario.service.requests().is_empty());
}

#[tokio::test]
async fn service_is_notified_of_abandoned_work() {
    let scenario = answering([Response::accepted("/runs/7")]).await;
    let token = scenario.start_long_work().await.token;
    let expected = json!({
        "type": "job.abandoned",
        "timestamp": "2026-01-31T12:00:00Z",
        "data": {"executionId": "execution-1"},
    });
    for (token, path) in [(None, "/jobs?of=web"), (Some(token.as_str()), "/runs/7"), (Some("foreign"), "/jobs?of=web")]
    {
        scenario.service.respond_next_with(Response::status(204));
        scenario.stop(token).await;
        let requests = scenario.service.requests();
        let request = requests.last().unwrap();
        assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(request.json(), expected);
    }
}

#[tokio::test]
async fn service_may_not_know_the_abandoned_work() {
    for status in [200, 202, 204, 404, 410] {
        answering([Response::status(status)]).await.stop(None).await;
    }
    let scenario = answering([Response::status(503), Response::status(200)]).await;
    scenario.stop(None).await;
    assert_eq!(scenario.service.requests().len(), 2);
}

#[tokio::test]
async fn refused_abandonment_is_a_failure() {
    for (status, kind, code) in [
        (403, FailureKind::PermissionError, "ServiceDeniedSignature"),
        (500, FailureKind::SystemUnavailable, "ServiceUnavailable"),
    ] {
        let failure = answering(vec![Response::status(status); 4]).await.fail_to_stop().await;
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
    }
}
