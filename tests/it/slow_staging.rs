//! A slow download must not use up the time of the action and its outputs.
//!
//! Time is paused, so the test can't use sockets. The clients' requests go to services in this process.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Finished, Outcome};
use codepipeline_worker::worker::{Summary, Worker};
use futures_util::stream;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support;

const ACTION: Duration = Duration::from_secs(600);
const STAGING: Duration = Duration::from_secs(60);
const REPORTING: Duration = Duration::from_secs(10);

/// CodePipeline with one job, and S3 with an object that takes 1000 s to download.
#[derive(Clone, Debug)]
struct Services {
    began: Instant,
    polls: Arc<Mutex<usize>>,
    /// The reported failure message and its time.
    reported: Arc<Mutex<Option<(String, Duration)>>>,
}

impl Services {
    fn new() -> Self {
        Self { began: Instant::now(), polls: Arc::default(), reported: Arc::default() }
    }

    async fn run(&self, invoked: bool, time: Duration) -> (Summary, String, Duration) {
        let sdk_config = support::sdk_config("http://services").to_builder().http_client(self.clone()).build();
        let folder = tempfile::tempdir().unwrap();
        let owner = if invoked { ("Invoke", "AWS", "Lambda") } else { ("Test", "Custom", "Never") };
        let served = Served::new(support::action_type(owner.0, owner.1, owner.2), ACTION, Never);
        let lifecycle = support::lifecycle(&sdk_config, folder.path().to_owned());
        let worker = Worker::new(lifecycle, vec![served], 1, STAGING);
        let deadline = self.began + time;
        let summary = if invoked {
            worker
                .run_job(&json!({"CodePipeline.job": {"id": "job", "accountId": "1", "data": data()}}), deadline)
                .await
        } else {
            worker.invoke(deadline).await
        };
        let (message, at) = self.reported.lock().unwrap().take().unwrap();
        (summary.unwrap(), message, at)
    }
}

fn data() -> Value {
    json!({
        "actionTypeId": {"category": "Test", "owner": "Custom", "provider": "Never", "version": "1"},
        "inputArtifacts": [{
            "name": "Source",
            "location": {"type": "S3", "s3Location": {"bucketName": "store", "objectKey": "source"}}
        }],
        "artifactCredentials": {"accessKeyId": "id", "secretAccessKey": "key", "sessionToken": "token"}
    })
}

impl HttpClient for Services {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Services {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = match request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()) {
            Some("PollForJobs") => {
                let mut polls = self.polls.lock().unwrap();
                *polls += 1;
                let jobs = [json!({"id": "job", "nonce": "3", "accountId": "1", "data": data()})];
                json!({"jobs": if *polls == 1 { &jobs[..] } else { &[] }}).to_string()
            }
            Some("AcknowledgeJob") => r#"{"status": "InProgress"}"#.to_owned(),
            Some("PutJobFailureResult") => {
                let report: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
                let message = report["failureDetails"]["message"].as_str().unwrap().to_owned();
                *self.reported.lock().unwrap() = Some((message, self.began.elapsed()));
                "{}".to_owned()
            }
            Some(other) => panic!("{other} is not expected"),
            None => return HttpConnectorFuture::ready(Ok(slow_object())),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body))))
    }
}

/// A thousand bytes, one per second.
fn slow_object() -> HttpResponse {
    let bytes = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, Infallible>(hyper::body::Frame::data(Bytes::from_static(b"x"))), ()))
    });
    let body = SdkBody::from_body_1_x(StreamBody::new(Box::pin(bytes)));
    let mut response = HttpResponse::new(206.try_into().unwrap(), body);
    for (name, value) in [("content-range", "bytes 0-999/1000"), ("content-length", "1000"), ("etag", "\"1\"")] {
        response.headers_mut().insert(name, value);
    }
    response
}

/// An action that must not run.
struct Never;

impl Action for Never {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Ok(Outcome::Finished(Finished::default()))
    }
}

#[tokio::test(start_paused = true)]
async fn slow_staging_fails_before_the_actions_time() {
    let (summary, message, at) = Services::new().run(false, Duration::from_secs(900)).await;
    assert_eq!(summary, Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() });
    assert!(message.starts_with("StagingTimeout: ") && message.contains("270s"), "{message}");
    // Of 900 s, this leaves 20 s for staging out, the action's time and the report.
    assert_eq!(at.as_secs(), 900 - 20 - ACTION.as_secs() - REPORTING.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_late_invoked_job_has_a_share_of_time_for_staging() {
    let time = (ACTION + STAGING) / 2 + REPORTING;
    let (summary, message, at) = Services::new().run(true, time).await;
    assert_eq!(summary, Summary { claimed: 1, failed: 1, ..Summary::default() });
    assert!(message.starts_with("StagingTimeout: ") && message.contains("20s"), "{message}");
    assert_eq!(at.as_secs(), 20);
}
