//! Work that outlasts an invocation.

use codepipeline_worker::job::FailureKind;
use serde_json::{Value, json};

use super::scenario::{NOW, answering, finished, going_on};
use super::service::Answer;

#[tokio::test]
async fn work_goes_on_at_the_location_until_it_is_over() {
    let scenario = answering([
        Answer::json(202, r#"{"summary": "queued", "externalExecutionId": "run-7"}"#).header("Location", "/runs/7"),
        Answer::json(202, r#"{"percentComplete": 50}"#),
        Answer::json(202, r#"{"summary": "uploading", "percentComplete": 90}"#).header("Location", "7/upload"),
        Answer::json(200, r#"{"outputVariables": {"Broken": "0"}}"#),
    ])
    .await;
    let first = scenario.go_on().await;
    assert_eq!((first.summary.as_deref(), first.percent_complete), (Some("queued"), None));
    assert_eq!(first.external_execution_id.as_deref(), Some("run-7"));

    let second = going_on(scenario.resume(&first.token).await);
    assert_eq!((second.summary.as_deref(), second.percent_complete), (Some("queued"), Some(50)));
    assert_eq!(second.external_execution_id.as_deref(), Some("run-7"));

    let third = going_on(scenario.resume(&second.token).await);
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
    let scenario = answering([Answer::accepted("/runs/7"), Answer::status(200)]).await;
    let token = scenario.go_on().await.token;
    finished(scenario.resume(&token).await);
    let [first, second] = [0, 1].map(|index| scenario.service.requests()[index].json());
    for (member, index) in [("inputs", 0), ("inputs", 1), ("outputs", 0)] {
        let [first, second] = [&first, &second].map(|body| &body["data"][member][index]);
        assert_eq!(first["name"], second["name"]);
        assert_ne!(first["url"], second["url"]);
    }
}

#[tokio::test]
async fn a_token_holds_no_configuration_and_no_link() {
    let said = json!({"summary": "hunter22-the-token", "externalExecutionId": "run-7"}).to_string();
    let scenario = answering([Answer::json(202, &said).header("Location", "/runs/7")]).await;
    let token = scenario.go_on().await.token;
    for secret in ["hunter22", "5ecret", "example.com", "whsec"] {
        assert!(!token.contains(secret), "{token}");
    }
    assert!(token.len() < 1500);
}

#[tokio::test]
async fn progress_that_cannot_be_read_does_not_end_the_work() {
    for body in ["Accepted", r#"{"percentComplete": 500}"#, "[]"] {
        let scenario = answering([Answer::json(202, body).header("Location", "/runs/7")]).await;
        assert_eq!(scenario.go_on().await.percent_complete, None, "{body}");
    }
}

#[tokio::test]
async fn a_service_that_asks_for_rest_gets_it() {
    let rest = |seconds: &str| Answer::accepted("/runs/7").header("Retry-After", seconds);
    let scenario = answering([rest("120"), Answer::status(200)]).await;
    let first = scenario.go_on().await;
    let second = going_on(scenario.resume(&first.token).await);
    assert_eq!(second.token, first.token);
    assert_eq!(scenario.service.requests().len(), 1);

    let mut token: Value = serde_json::from_str(&first.token).unwrap();
    assert_eq!(token["notBefore"], NOW + 120);
    token["notBefore"] = NOW.into();
    finished(scenario.resume(&token.to_string()).await);

    let scenario = answering([rest("86400")]).await;
    let token: Value = serde_json::from_str(&scenario.go_on().await.token).unwrap();
    assert_eq!(token["notBefore"], NOW + 3600);
}

#[tokio::test]
async fn a_service_that_lost_the_work_fails_the_job() {
    for (status, kind) in [
        (400, FailureKind::ConfigurationError),
        (403, FailureKind::PermissionError),
        (404, FailureKind::JobFailed),
        (410, FailureKind::JobFailed),
    ] {
        let accepted = Answer::json(202, r#"{"externalExecutionId": "run-7"}"#).header("Location", "/runs/7");
        let scenario = answering([accepted, Answer::status(status)]).await;
        let token = scenario.go_on().await.token;
        let failure = scenario.resume(&token).await.err().unwrap();
        assert_eq!(failure.kind, kind, "{status}");
        assert_eq!(failure.external_execution_id.as_deref(), Some("run-7"));
    }
}

#[tokio::test]
async fn a_token_of_somebody_else_fails_the_job_without_a_request() {
    let scenario = answering([]).await;
    for token in ["", "arn:aws:states:…", r#"{"http":1,"location":"https://example.com/"}"#] {
        assert_eq!(scenario.resume(token).await.err().unwrap().kind, FailureKind::ConfigurationError, "{token}");
    }
    assert!(scenario.service.requests().is_empty());
}

#[tokio::test]
async fn the_service_is_told_that_its_work_is_abandoned() {
    let scenario = answering([Answer::accepted("/runs/7")]).await;
    let token = scenario.go_on().await.token;
    let expected = json!({
        "type": "job.abandoned",
        "timestamp": "2026-01-31T12:00:00Z",
        "data": {"executionId": "execution-1"},
    });
    for (token, path) in [(None, "/jobs?of=web"), (Some(token.as_str()), "/runs/7"), (Some("foreign"), "/jobs?of=web")]
    {
        scenario.service.answer_next_with(Answer::status(204));
        scenario.stop(token).await.unwrap();
        let requests = scenario.service.requests();
        let request = requests.last().unwrap();
        assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(request.json(), expected);
    }
}

#[tokio::test]
async fn a_service_that_knows_no_abandoned_work_is_a_good_service() {
    for status in [200, 202, 204, 404, 410] {
        answering([Answer::status(status)]).await.stop(None).await.unwrap();
    }
    let scenario = answering([Answer::status(503), Answer::status(200)]).await;
    scenario.stop(None).await.unwrap();
    assert_eq!(scenario.service.requests().len(), 2);
}

#[tokio::test]
async fn a_service_that_will_not_stop_is_told_of() {
    let told = answering([Answer::status(403)]).await.stop(None).await.unwrap_err();
    assert!(told.starts_with("PermissionError: the service answered with HTTP status 403"), "{told}");
    let told = answering(vec![Answer::status(500); 4]).await.stop(None).await.unwrap_err();
    assert!(told.starts_with("SystemUnavailable: the service did not answer 4 requests"), "{told}");
}
