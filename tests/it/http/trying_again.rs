//! Answers that may be better next time.

use std::time::Duration;

use codepipeline_worker::job::FailureKind;
use tokio::time::Instant;

use super::scenario::{answering, going_on};
use super::service::Answer;

#[tokio::test]
async fn a_passing_failure_is_tried_again_with_the_same_message() {
    let passing = [Answer::status(503), Answer::status(429), Answer::HangUp];
    let scenario = answering(passing.into_iter().chain([Answer::json(200, r#"{"summary": "at last"}"#)])).await;
    assert_eq!(scenario.succeed().await.summary.as_deref(), Some("at last"));
    let requests = scenario.service.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.header("webhook-id") == "start_job-1"));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let scenario = answering([Answer::Half, Answer::status(408), Answer::status(200)]).await;
    scenario.succeed().await;
    assert_eq!(scenario.service.requests().len(), 3);
}

#[tokio::test]
async fn a_start_that_is_never_answered_is_the_systems_failure() {
    for (answer, reason) in [
        (Answer::status(500), "it answered with HTTP status 500"),
        (Answer::status(429), "it answered with HTTP status 429"),
        (Answer::HangUp, "the connection failed"),
        (Answer::Half, "the connection failed"),
    ] {
        let scenario = answering(vec![answer; 5]).await;
        let failure = scenario.fail().await;
        assert_eq!(failure.kind, FailureKind::SystemUnavailable);
        let expected = format!("the service did not answer 4 requests; the last one: {reason}");
        assert!(failure.message.starts_with(&expected), "{}", failure.message);
        assert_eq!(scenario.service.requests().len(), 4);
    }
}

#[tokio::test]
async fn silence_ends_with_the_requests_timeout() {
    let scenario = answering(vec![Answer::Silence; 4]).await.request_timeout(Duration::from_secs(1));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert!(failure.message.ends_with("no answer in time (the limit is 1 s)"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 4);
}

#[tokio::test]
async fn silence_ends_with_the_invocations_time() {
    // A second of it is kept for the report.
    let scenario = answering([Answer::Silence]).await.deadline(Duration::from_secs(4));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert!(
        failure.message.contains("did not answer 1 request; the last one: no answer in time"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_is_the_systems_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = answering([]).await.to(&origin).fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    let expected = "the service did not answer 4 requests; the last one: the connection failed (Connection refused (os error 111))";
    assert_eq!(failure.message, expected);
}

/// Time is paused: a pause goes by as soon as nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_long_pause_that_is_asked_for_does_not_end_the_start() {
    let busy = |status| Answer::status(status).header("Retry-After", "3600");
    let scenario = answering([busy(503), busy(429), busy(503), Answer::status(200)]).await;
    let began = Instant::now();
    scenario.deadline(Duration::from_secs(70)).succeed().await;
    assert!((51..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_start_is_tried_four_times_and_no_more() {
    let busy = || Answer::status(503).header("Retry-After", "31");
    let scenario = answering(std::iter::repeat_with(busy).take(5)).await.deadline(Duration::from_secs(70));
    let failure = scenario.fail().await;
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert!(failure.message.contains("did not answer 4 requests"), "{}", failure.message);
    assert_eq!(scenario.service.requests().len(), 4);
}

#[tokio::test]
async fn a_pause_that_outlasts_the_invocation_ends_the_tries() {
    let scenario = answering([Answer::status(503).header("Retry-After", "20"), Answer::status(200)]).await;
    let scenario = scenario.deadline(Duration::from_secs(15));
    assert_eq!(scenario.fail().await.kind, FailureKind::SystemUnavailable);
    assert_eq!(scenario.service.requests().len(), 1);
}

#[tokio::test]
async fn work_that_goes_on_never_fails_because_its_service_is_down() {
    let progress = r#"{"summary": "half of it", "externalExecutionId": "run-7", "percentComplete": 50}"#;
    let accepted = Answer::json(202, progress).header("Location", "/runs/7");
    for answer in [Answer::status(500), Answer::status(429), Answer::HangUp, Answer::Half] {
        let scenario = answering([accepted.clone()].into_iter().chain(vec![answer; 4])).await;
        let first = scenario.go_on().await;
        let second = going_on(scenario.resume(&first.token).await);
        assert_eq!(second.token, first.token);
        assert_eq!(second.summary.as_deref(), Some("half of it"));
        assert_eq!(second.external_execution_id.as_deref(), Some("run-7"));
        assert_eq!(second.percent_complete, Some(50));
        assert_eq!(scenario.service.requests().len(), 5);
    }
}
