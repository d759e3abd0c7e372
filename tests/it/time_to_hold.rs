//! No worker takes longer than 30 s from a poll to holding a job, also if a service does not respond. Adoption assumes this.
//!
//! The tests pause the time, so they can't use sockets: the clients' requests go to services in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Finished, Outcome};
use codepipeline_worker::ledger::Ledger;
use codepipeline_worker::lifecycle::{End, Invocation, Lifecycle};
use codepipeline_worker::worker::{InvocationError, Worker};
use tokio::time::Instant;

use crate::support;
use crate::support::log::{logged, with_message};

const OFFER: &str = r#"{"jobs": [{"id": "job", "nonce": "3", "accountId": "1", "data": {
    "inputArtifacts": [{"name": "Source", "location": {"type": "S3", "s3Location": {"bucketName": "store", "objectKey": "key"}}}],
    "artifactCredentials": {"accessKeyId": "A", "secretAccessKey": "secret", "sessionToken": "token"}}}]}"#;

/// The content of the input artifact.
const SOURCE: &str = "source";

/// Answers each kind of request so many times, and then never again. Notes each request and its time.
#[derive(Clone, Debug)]
struct Services {
    answers: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    asked: Arc<Mutex<Vec<(&'static str, Duration)>>>,
    began: Instant,
}

impl Services {
    fn new(answers: &[(&'static str, usize)]) -> Self {
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        Self { answers, asked: Arc::default(), began: Instant::now() }
    }

    /// When requests of this kind came.
    fn times(&self, kind: &str) -> Vec<Duration> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(asked, _)| *asked == kind).map(|(_, at)| *at).collect()
    }
}

impl HttpClient for Services {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Services {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (kind, body) = match request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()) {
            Some("PollForJobs") => ("poll", OFFER),
            Some("AcknowledgeJob") => ("acknowledge", r#"{"status": "InProgress"}"#),
            Some(_) => ("report", "{}"),
            None if request.uri().contains("/store/") => ("stage in", SOURCE),
            None => (if request.method() == "PUT" { "write" } else { "read" }, ""),
        };
        self.asked.lock().unwrap().push((kind, self.began.elapsed()));
        let mut answers = self.answers.lock().unwrap();
        let left = answers.entry(kind).or_default();
        if *left == 0 {
            return HttpConnectorFuture::new(std::future::pending());
        }
        *left -= 1;
        let mut response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("etag", "\"1\"");
        response.headers_mut().insert("content-length", body.len().to_string());
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Must not run.
struct Never;

impl Action for Never {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Ok(Outcome::Finished(Finished::default()))
    }
}

/// Works on files, and notes that it ran.
#[derive(Clone, Default)]
struct WithFiles(Arc<AtomicBool>);

impl Action for WithFiles {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        self.0.store(true, Ordering::SeqCst);
        Ok(Outcome::Finished(Finished::default()))
    }

    fn wants_files(&self) -> bool {
        true
    }
}

/// Polls a job and takes it. Returns how it ended, and after what time.
async fn live(services: &Services) -> (End, Duration) {
    live_within(services, Duration::from_secs(900)).await
}

async fn live_within(services: &Services, time: Duration) -> (End, Duration) {
    live_with(services, time, Never).await
}

/// Checks that no file of the job is left.
async fn live_with(services: &Services, time: Duration, action: impl Action) -> (End, Duration) {
    let sdk_config = support::sdk_config("http://services").to_builder().http_client(services.clone()).build();
    let folder = tempfile::tempdir().unwrap();
    let ledger = Some(Ledger::new(&sdk_config, "ledger".into()));
    let lifecycle = Lifecycle { ledger, ..support::lifecycle(&sdk_config, folder.path().to_owned()) };
    let action_type = support::action_type("Test", "Custom", "Never");
    let offer = lifecycle.queue.poll(&action_type, None, 1).await.unwrap().offers.remove(0);
    let polled_at = offer.polled_at;
    let served = Arc::new(Served::new(action_type, Duration::from_secs(60), action));
    let end = lifecycle.live(offer, &served, Invocation::until(polled_at + time)).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files are left");
    (end, polled_at.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_held_in_time_does_not_run() {
    // The claim is written. Then the ledger stops answering.
    let services = Services::new(&[("poll", 1), ("write", 1), ("acknowledge", 1), ("report", 9)]);
    let (end, after) = live(&services).await;
    assert_eq!(end, End::Unknown);
    // The worker reads for a minute whether the last write took effect, because then it holds the job.
    assert!((Duration::from_secs(30)..=Duration::from_secs(90)).contains(&after), "{after:?}");
    let last_write = *services.times("write").last().unwrap();
    assert!(last_write < Duration::from_secs(30), "{last_write:?}");
    let last_read = *services.times("read").last().unwrap();
    assert!(last_read > last_write + Duration::from_secs(50), "{last_read:?}");
    assert!(services.times("report").is_empty());
}

#[tokio::test(start_paused = true)]
async fn staged_files_of_a_failed_hold_are_thrown_away() {
    // S3 returns the input, but the ledger does not answer after the claim.
    let answers = [("poll", 1), ("write", 1), ("acknowledge", 1), ("stage in", 1), ("report", 9)];
    let (services, action) = (Services::new(&answers), WithFiles::default());
    let (end, after) = live_with(&services, Duration::from_secs(900), action.clone()).await;
    assert_eq!(end, End::Unknown);
    let staged = services.times("stage in");
    assert!(staged.len() == 1 && staged[0] < Duration::from_secs(1), "it does not wait for the hold: {staged:?}");
    assert!(after > Duration::from_secs(30), "the hold was given up before the input was there");
    assert!(!action.0.load(Ordering::SeqCst), "the action ran without a hold");
    assert!(services.times("report").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_action_starts_when_its_job_is_held() {
    let answers = [("poll", 1), ("write", 4), ("acknowledge", 1), ("stage in", 1), ("report", 1)];
    let (services, action) = (Services::new(&answers), WithFiles::default());
    let (end, _) = live_with(&services, Duration::from_secs(900), action.clone()).await;
    assert_eq!(end, End::Succeeded);
    assert!(action.0.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_not_read_in_the_time_for_reporting() {
    let services = Services::new(&[("poll", 1), ("write", 1), ("acknowledge", 1), ("report", 9)]);
    let (end, after) = live_within(&services, Duration::from_secs(80)).await;
    assert_eq!(end, End::Unknown);
    assert!((Duration::from_secs(60)..=Duration::from_secs(70)).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_claimed_in_time_is_left() {
    let services = Services::new(&[("poll", 1), ("acknowledge", 1)]);
    let (end, after) = live(&services).await;
    assert_eq!(end, End::NoLedger);
    assert!(after <= Duration::from_secs(20), "{after:?}");
    assert!(services.times("acknowledge").is_empty());
}

#[tokio::test(start_paused = true)]
async fn acknowledging_ends_after_25_seconds() {
    let services = Services::new(&[("poll", 1), ("write", 9)]);
    let (end, after) = live(&services).await;
    assert_eq!(end, End::Unknown);
    assert!(after <= Duration::from_secs(25), "{after:?}");
    assert!(services.times("acknowledge").len() > 3, "the worker retries until its time is up");
    assert_eq!(services.times("write").len(), 1, "the claim stays unchanged");
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_poll_leaves_other_types_pollable() {
    let services = Services::new(&[]);
    let sdk_config = support::sdk_config("http://services").to_builder().http_client(services.clone()).build();
    let folder = tempfile::tempdir().unwrap();
    let lifecycle = support::lifecycle(&sdk_config, folder.path().to_owned());
    let served =
        |provider| Served::new(support::action_type("Test", "Custom", provider), Duration::from_secs(600), Never);
    let worker = Worker::new(lifecycle, vec![served("One"), served("Two")], 1, Duration::from_secs(60));
    // A job needs 670 s. The first poll, of either type, takes too much of the time.
    let (lines, result) = logged(worker.invoke(Instant::now() + Duration::from_secs(671))).await;
    assert_eq!(result, Err(InvocationError::NothingPolled(1)));
    assert_eq!(with_message(&lines, "can't be polled"), Vec::<serde_json::Value>::new());
}
