//! Requests that the action retries.

use std::time::Duration;

use codepipeline_worker::job::FailureKind;
use tokio::time::Instant;

use super::scenario::{answering, continued};
use super::service::Response;

#[tokio::test]
async fn transient_failure_is_retried_with_the_same_message() {
    let transient = [Response::status(503), Response::status(429), Response::HangUp];
    let scenario = answering(transient.into_iter().chain([Response::json(200, r#"{"summary": "at last"}"#)])).await;
    assert_eq!(scenario.succeed().await.summary.as_deref(), Some("at last"));
    let requests = scenario.service.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.header("webhook-id") == "start_job-1"));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
}

#[tokio::test]
async fn truncated_response_is_retried() {
    let scenario = answering([Response::Half, Response::status(408), Response::status(200)]).await;
    scenario.succeed().await;
    assert_eq!(scenario.service.requests().len(), 3);
}

#[tokio::test]
async fn unanswered_start_fails_as_system_unavailable() {
    for (response, reason) in [
        (Response::status(500), "500"),
        (Response::status(429), "429"),
        (Response::HangUp, "in 4 tries; the last try: the connection failed"),
        (Response::Half, "in 4 tries; the last try: the connection failed"),
    ] {
        let scenario = answering(vec![response; 5]).await;
        let failure = scenario.fail().await;
        assert_eq!(failure.kind, FailureKind::SystemUnavailable);
        assert_eq!(failure.code.as_str(), "ServiceUnavailable");
        assert!(failure.message.contains(reason), "{}", failure.message);
        assert_eq!(scenario.service.requests().len(), 4);
    }
}

#[tokio::test]
async fn silent_service_fails_after_the_request_timeout() {
    let scenario = answering(vec![Response::Silence; 4]).await.request_timeout(Duration::from_secs(1));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "ServiceUnavailable");
    assert!(failure.message.contains("1 s"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 4);
}

#[tokio::test]
async fn silent_service_fails_before_the_deadline() {
    // The action keeps a second for the report.
    let scenario = answering([Response::Silence]).await.deadline(Duration::from_secs(4));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "ServiceUnavailable");
    assert!(failure.message.contains("in 1 try: no response in time"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 1);
}

#[tokio::test]
async fn unreachable_service_fails_as_system_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = answering([]).await.to(&origin).fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "ServiceUnavailable");
    assert!(failure.message.contains("os error 111"), "{}", failure.message);
}

/// Time is paused: it advances when every task waits.
#[tokio::test(start_paused = true)]
async fn long_retry_after_does_not_end_the_start() {
    let busy = |status| Response::status(status).header("Retry-After", "3600");
    let scenario = answering([busy(503), busy(429), busy(503), Response::status(200)]).await;
    let began = Instant::now();
    scenario.deadline(Duration::from_secs(70)).succeed().await;
    assert!((51..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn start_is_tried_four_times() {
    let busy = || Response::status(503).header("Retry-After", "31");
    let scenario = answering(std::iter::repeat_with(busy).take(5)).await.deadline(Duration::from_secs(70));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.code.as_str(), "ServiceUnavailable");
    assert!(failure.message.contains("in 4 tries; the last try: HTTP status 503"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 4);
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_ends_the_retries() {
    let scenario = answering([Response::status(503).header("Retry-After", "20"), Response::status(200)]).await;
    let scenario = scenario.deadline(Duration::from_secs(15));
    assert_eq!(scenario.fail().await.kind, FailureKind::SystemUnavailable);
    assert_eq!(scenario.service.requests().len(), 1);
}

#[tokio::test]
async fn running_work_survives_an_unavailable_service() {
    let progress = r#"{"summary": "half of it", "externalExecutionId": "run-7", "percentComplete": 50}"#;
    let accepted = Response::json(202, progress).header("Location", "/runs/7");
    for response in [Response::status(500), Response::status(429), Response::HangUp, Response::Half] {
        let scenario = answering([accepted.clone()].into_iter().chain(vec![response; 4])).await;
        let first = scenario.start_long_work().await;
        let second = continued(scenario.resume(&first.token).await);
        assert_eq!(second.token, first.token);
        assert_eq!(second.summary.as_deref(), Some("half of it"));
        assert_eq!(second.external_execution_id.as_deref(), Some("run-7"));
        assert_eq!(second.percent_complete, Some(50));
        assert_eq!(scenario.service.requests().len(), 5);
    }
}
