//! Entries that no worker can handle. They hold up no other job, and are not tried for ever.

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use codepipeline_worker::actions::Served;
use codepipeline_worker::ledger::Ledger;
use codepipeline_worker::lifecycle::Lifecycle;
use codepipeline_worker::worker::{InvocationError, Summary};
use serde_json::json;
use tokio::time::Instant;

use super::scenario::{A_MINUTE, BUCKET, Deadly, QUARTER_OF_AN_HOUR, Scenario};
use crate::support;

/// An HTTP client. S3 denies it one entry of the ledger.
#[derive(Debug)]
struct Denied {
    inner: SharedHttpConnector,
    job: &'static str,
}

impl HttpConnector for Denied {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.method() == "GET" && request.uri().contains(self.job) {
            let body = "<Error><Code>AccessDenied</Code></Error>";
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(403.try_into().unwrap(), body.into())));
        }
        self.inner.call(request)
    }
}

impl Scenario {
    /// The ledger for a role that may not read this job's entry.
    fn ledger_without(&self, job: &'static str) -> Ledger {
        let plain = Builder::new().build_http();
        let client = http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Denied { inner: plain.http_connector(settings, components), job })
        });
        Ledger::new(&self.world.sdk_config.to_builder().http_client(client).build(), BUCKET.into())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_entry_holds_up_no_other_job() {
    let scenario = Scenario::start(Deadly::kills(1)).await;
    scenario.claim("locked").await;
    let lifecycle = || Lifecycle {
        ledger: Some(scenario.ledger_without("locked")),
        ..support::lifecycle(&scenario.world.sdk_config, scenario.world.work_folder())
    };
    let worker = || scenario.worker_of(lifecycle(), |served| served);
    scenario.worker_that_dies(|served| served, 1).await;
    scenario.time.advance(A_MINUTE);
    let alone = worker().invoke(Instant::now() + QUARTER_OF_AN_HOUR).await;
    assert!(matches!(&alone, Err(InvocationError::NotRecovered(error)) if !error.may_pass()), "{alone:?}");

    scenario.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    let expected = Summary { adopted: 1, claimed: 1, failed: 1, ..Summary::default() };
    assert_eq!(support::invoke(&worker()).await, expected);
}

/// A test event from the Lambda console: CodePipeline accepts no report for an id that is not a job's.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_reports_are_refused_is_given_up() {
    let scenario = Scenario::start(Deadly::default()).await;
    let invoked = support::action_type("Invoke", "AWS", "Lambda");
    let worker = scenario.worker(|_| Served::new(invoked, A_MINUTE, scenario.action.clone()));
    let event = json!({"CodePipeline.job": {"id": "a test", "data": {}}});
    let ran = worker.run_job(&event, Instant::now() + QUARTER_OF_AN_HOUR).await;
    assert_eq!(ran, Err(InvocationError::Unreported { unreported: 1, unknown: 0 }));
    assert_eq!(scenario.action.runs(), 1);
    assert!(scenario.all_done().await);
    scenario.time.advance(QUARTER_OF_AN_HOUR + A_MINUTE);
    assert_eq!(support::invoke(&worker).await, Summary::default());
}
