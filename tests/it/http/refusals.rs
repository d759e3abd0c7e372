//! Statuses that end the job, and invalid settings.

use std::time::Duration;

use codepipeline_worker::actions::http::{HttpAction, HttpMistake, HttpSettings, system_clock};
use codepipeline_worker::job::FailureKind;

use super::scenario::{KEY, SECRET, answering, describe};
use super::service::{Response, Service};

#[tokio::test]
async fn refusal_is_not_retried_and_shows_the_response() {
    for (status, kind, code) in [
        (400, FailureKind::ConfigurationError, "ServiceRejectedConfiguration"),
        (401, FailureKind::PermissionError, "ServiceDeniedSignature"),
        (403, FailureKind::PermissionError, "ServiceDeniedSignature"),
        (404, FailureKind::ConfigurationError, "ServiceNotFound"),
        (409, FailureKind::JobFailed, "ServiceRefusedWork"),
        (422, FailureKind::ConfigurationError, "ServiceRejectedConfiguration"),
        (201, FailureKind::JobFailed, "ServiceStatusUnexpected"),
    ] {
        let scenario = answering([Response::json(status, "the Url is wrong")]).await;
        let failure = scenario.fail().await;
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{status}");
        assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
        assert_eq!(failure.output.as_deref(), Some("the Url is wrong"));
        assert_eq!(scenario.service.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let elsewhere = Service::answering([Response::status(200)]).await;
    for status in [301, 302, 303, 307, 308] {
        for target in [elsewhere.origin(), "/jobs"] {
            let scenario = answering([Response::status(status).header("Location", target)]).await;
            let failure = scenario.fail().await;
            assert_eq!(failure.kind, FailureKind::ConfigurationError);
            assert_eq!(failure.code.as_str(), "ServiceRedirected");
            assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
            assert_eq!(scenario.service.requests().len(), 1);
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn failure_shows_no_secret_and_no_url() {
    let text = format!("no {SECRET}, no {KEY}");
    for response in [Response::json(400, &text), Response::json(500, &text), Response::HangUp] {
        let scenario = answering(vec![response; 4]).await;
        let described = describe(scenario.fail().await);
        for secret in [SECRET, KEY, "5ecret", "jobs?of=web", "example.com"] {
            assert!(!described.contains(secret), "{described}");
        }
    }
}

#[tokio::test]
async fn location_on_another_origin_is_rejected() {
    let elsewhere = Service::answering([]).await;
    for location in ["https://example.com/runs/7", elsewhere.origin(), "ftp://127.0.0.1/"] {
        let failure = answering([Response::accepted(location)]).await.fail().await;
        assert_eq!(failure.kind, FailureKind::JobFailed);
        assert_eq!(failure.code.as_str(), "ServiceResponseInvalid");
        assert!(failure.message.contains("Location"), "{}", failure.message);
        assert!(!failure.message.contains(location), "{}", failure.message);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn location_with_a_secret_is_rejected() {
    let failure = answering([Response::accepted(&format!("/runs/7?token={SECRET}"))]).await.fail().await;
    assert_eq!(failure.code.as_str(), "ServiceResponseInvalid");
    assert!(failure.message.contains("Location"), "{}", failure.message);
    assert!(!failure.message.contains(SECRET), "{}", failure.message);
}

#[tokio::test]
async fn status_202_without_location_is_rejected() {
    let failure = answering([Response::status(202)]).await.fail().await;
    assert_eq!(failure.code.as_str(), "ServiceResponseInvalid");
    assert!(failure.message.contains("Location"), "{}", failure.message);
}

#[test]
fn each_invalid_setting_has_its_error() {
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
