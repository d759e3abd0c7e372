//! The HTTP client of a deployment: it records what the worker writes into the ledger and reports, and has the client's token.

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::json;

use super::stage::{BUCKET, CLIENT_TOKEN};

/// Passes all requests to the emulator, except those to Secrets Manager.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    plain: SharedHttpClient,
    entries: Arc<Mutex<Vec<Vec<u8>>>>,
    reports: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { plain: Builder::new().build_http(), entries: Arc::default(), reports: Arc::default() }
    }

    /// The objects that the worker wrote into the ledger since the last call.
    pub(super) fn take_entries(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.entries.lock().unwrap())
    }

    /// The bodies of the reports that the worker sent since the last call.
    pub(super) fn take_reports(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.reports.lock().unwrap())
    }
}

impl HttpClient for Recorder {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.plain.http_connector(settings, components);
        SharedHttpConnector::new(Recording { inner, recorder: self.clone() })
    }
}

#[derive(Debug)]
struct Recording {
    inner: SharedHttpConnector,
    recorder: Recorder,
}

impl HttpConnector for Recording {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = || request.body().bytes().expect("the worker sends these bodies from memory").to_vec();
        if target == "secretsmanager.GetSecretValue" {
            let secret = json!({"Name": "client", "SecretString": CLIENT_TOKEN}).to_string();
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), secret.into())));
        }
        if request.method() == "PUT" && request.uri().contains(BUCKET) {
            self.recorder.entries.lock().unwrap().push(body());
        }
        if target.contains(".Put") {
            self.recorder.reports.lock().unwrap().push(body());
        }
        self.inner.call(request)
    }
}
