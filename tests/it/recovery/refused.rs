//! Failure reports that CodePipeline refuses for their content are sent again without the work's output.

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, FailureCode, FailureKind, Outcome};
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::queue::Queue;
use codepipeline_worker::worker::Summary;
use serde_json::Value;

use super::scenario::{A_MINUTE, Deadly, Scenario, action_type};
use crate::support;

/// Refuses failure reports that hold one of these texts, as CodePipeline would.
#[derive(Debug, Clone)]
struct Picky {
    inner: SharedHttpConnector,
    refused: &'static [&'static str],
    code: &'static str,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Picky {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_failure =
            request.headers().get("x-amz-target").is_some_and(|target| target.ends_with("PutJobFailureResult"));
        let body = request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
        if is_failure {
            self.seen.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        }
        let text = String::from_utf8_lossy(&body);
        if is_failure && self.refused.iter().any(|refused| text.contains(refused)) {
            let body = format!(r#"{{"__type": "{}", "message": "no"}}"#, self.code);
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(400.try_into().unwrap(), body.into())));
        }
        self.inner.call(request)
    }
}

/// Fails with an output and an external id.
struct Talkative;

impl Action for Talkative {
    async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
        Err(Failure {
            output: Some("the printed output".to_owned()),
            external_execution_id: Some("run-17".to_owned()),
            ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "exit code 3")
        })
    }
}

/// The failure reports that were sent, and the scenario after the last one.
async fn reports(refused: &'static [&'static str], code: &'static str) -> (Vec<Value>, Scenario) {
    let scenario = Scenario::start(Deadly::default()).await;
    let seen = Arc::<Mutex<Vec<Value>>>::default();
    let client = http_client_fn({
        let (plain, seen) = (Builder::new().build_http(), Arc::clone(&seen));
        move |settings, components| {
            let inner = plain.http_connector(settings, components);
            SharedHttpConnector::new(Picky { inner, refused, code, seen: Arc::clone(&seen) })
        }
    });
    let sdk_config = scenario.world.sdk_config.to_builder().http_client(client).build();
    let lifecycle = Lifecycle {
        queue: Queue::new(&sdk_config, None),
        ledger: Some(scenario.ledger()),
        ..support::lifecycle(&scenario.world.sdk_config, scenario.world.work_folder())
    };
    let worker = scenario.worker_of(lifecycle, |_| Served::new(action_type(), A_MINUTE, Talkative));
    let expected = Summary { polled: 1, claimed: 1, failed: 1, ..Summary::default() };
    assert_eq!(support::invoke(&worker).await, expected);
    assert!(scenario.all_done().await);
    let reports = seen.lock().unwrap().clone();
    (reports, scenario)
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_failure_is_sent_again_without_its_output() {
    let cases: [(&[&str], _); 3] = [
        (&["printed"], "ValidationException"),
        (&["run-17"], "InvalidParameterException"),
        (&["externalExecutionId"], "SerializationException"),
    ];
    for (refused, code) in cases {
        let (reports, scenario) = reports(refused, code).await;
        let [first, second] = &reports[..] else { panic!("{reports:?}") };
        assert!(first["failureDetails"]["message"].as_str().unwrap().contains("the printed output"));
        let execution = scenario.execution().await;
        let search = execution.action_execution_id().unwrap();
        let said = format!("Test: exit code 3 (search the log for {search})");
        assert_eq!(second["failureDetails"]["message"], said);
        assert!(second["failureDetails"].get("externalExecutionId").is_none(), "{second}");
        assert_eq!(execution.error_details().unwrap().message(), Some(said.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_refused_failure_is_sent_with_its_code_only() {
    let (reports, scenario) = reports(&["exit code"], "ValidationException").await;
    assert_eq!(reports.len(), 3);
    let execution = scenario.execution().await;
    let message = execution.error_details().unwrap().message().unwrap();
    assert!(message.starts_with("Test: ") && !message.contains("exit code"), "{message}");
}
