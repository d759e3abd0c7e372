//! Statuses that end the job, and settings that no action is made of.

use std::time::Duration;

use codepipeline_worker::actions::http::{HttpAction, HttpMistake, HttpSettings, system_clock};
use codepipeline_worker::job::FailureKind;

use super::scenario::{KEY, SECRET, answering, describe};
use super::service::{Answer, Service};

#[tokio::test]
async fn a_refusal_is_final_and_shows_what_the_service_wrote() {
    for (status, kind) in [
        (400, FailureKind::ConfigurationError),
        (401, FailureKind::PermissionError),
        (403, FailureKind::PermissionError),
        (404, FailureKind::ConfigurationError),
        (409, FailureKind::JobFailed),
        (422, FailureKind::ConfigurationError),
        (201, FailureKind::JobFailed),
    ] {
        let scenario = answering([Answer::json(status, "the Url is wrong")]).await;
        let failure = scenario.fail().await;
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.message.contains(&format!("HTTP status {status}")), "{}", failure.message);
        assert_eq!(failure.output.as_deref(), Some("the Url is wrong"));
        assert_eq!(scenario.service.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Service::answering([Answer::status(200)]).await;
    for status in [301, 302, 303, 307, 308] {
        for target in [elsewhere.origin(), "/jobs"] {
            let scenario = answering([Answer::status(status).header("Location", target)]).await;
            let failure = scenario.fail().await;
            assert_eq!(failure.kind, FailureKind::ConfigurationError);
            assert!(failure.message.contains(&format!("{status}, a redirect")), "{}", failure.message);
            assert_eq!(scenario.service.requests().len(), 1);
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_failure_repeats_neither_secret_nor_url() {
    let said = format!("no {SECRET}, no {KEY}");
    for answer in [Answer::json(400, &said), Answer::json(500, &said), Answer::HangUp] {
        let scenario = answering(vec![answer; 4]).await;
        let described = describe(scenario.fail().await);
        for secret in [SECRET, KEY, "5ecret", "jobs?of=web", "example.com"] {
            assert!(!described.contains(secret), "{described}");
        }
    }
}

#[tokio::test]
async fn a_location_elsewhere_is_refused_and_never_asked() {
    let elsewhere = Service::answering([]).await;
    for location in ["https://example.com/runs/7", elsewhere.origin(), "ftp://127.0.0.1/"] {
        let failure = answering([Answer::accepted(location)]).await.fail().await;
        assert_eq!(failure.kind, FailureKind::JobFailed);
        assert!(failure.message.contains("its Location "), "{}", failure.message);
        assert!(!failure.message.contains(location), "{}", failure.message);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_location_with_a_secret_in_it_is_refused() {
    let failure = answering([Answer::accepted(&format!("/runs/7?token={SECRET}"))]).await.fail().await;
    assert_eq!(failure.message, "the service's response is invalid: its Location has a secret in it");
}

#[tokio::test]
async fn accepted_without_a_location_is_refused() {
    let failure = answering([Answer::status(202)]).await.fail().await;
    assert!(failure.message.contains("no Location"), "{}", failure.message);
}

#[test]
fn settings_that_make_no_action_are_told_apart() {
    let mistake = |url: &str, secret: &str, request_timeout| {
        let settings =
            HttpSettings { url: url.to_owned(), secret: secret.into(), request_timeout, clock: system_clock };
        HttpAction::new(settings).err()
    };
    let second = Duration::from_secs(1);
    assert_eq!(mistake("https://example.com/jobs", KEY, second), None);
    assert_eq!(mistake("http://example.com/jobs", KEY, second), Some(HttpMistake::Insecure));
    assert_eq!(mistake("https://example.com/jobs", "hunter2", second), Some(HttpMistake::Secret));
    assert_eq!(mistake("https://example.com/jobs", KEY, Duration::ZERO), Some(HttpMistake::NoTime));
}
