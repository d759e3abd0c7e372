//! The services outside CodePipeline in this demo. One works for the `http` action. The other is a Secrets Manager with one secret, the
//! client token of the third-party action's customer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The key that signs the worker's messages. Create a real one with `openssl rand -base64 32`.
pub(crate) const WEBHOOK_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How many messages the work takes before it finishes.
const STEPS: u32 = 4;

/// Runs until the demo ends.
pub(crate) struct Outside {
    /// The URL that the worker POSTs jobs to.
    pub(crate) jobs_url: String,
    /// The endpoint of Secrets Manager.
    pub(crate) secrets_endpoint: String,
}

/// How many messages about each run of the action have arrived.
type Runs = Arc<Mutex<HashMap<String, u32>>>;

impl Outside {
    pub(crate) async fn start(client_token: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (runs, client_token) = (Runs::default(), Arc::new(client_token));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (runs, client_token) = (Arc::clone(&runs), Arc::clone(&client_token));
                let service = service_fn(move |request| answer(request, Arc::clone(&runs), Arc::clone(&client_token)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service),
                );
            }
        });
        Ok(Self { jobs_url: format!("{endpoint}/jobs"), secrets_endpoint: endpoint })
    }
}

async fn answer(
    request: Request<Incoming>,
    runs: Runs,
    client_token: Arc<String>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(reply(StatusCode::BAD_REQUEST, &Value::Null)) };
    let body = body.to_bytes();
    Ok(if head.headers.contains_key("x-amz-target") {
        secret(&client_token)
    } else {
        work(&head.headers, &body, &runs)
    })
}

/// Answers `GetSecretValue` with the only secret.
fn secret(client_token: &str) -> Response<Full<Bytes>> {
    reply(StatusCode::OK, &json!({"Name": "demo/clients", "SecretString": client_token}))
}

/// The service. Each message advances the work by one step.
fn work(headers: &HeaderMap, body: &[u8], runs: &Runs) -> Response<Full<Bytes>> {
    let signed = standardwebhooks::Webhook::new(WEBHOOK_KEY).is_ok_and(|webhook| webhook.verify(body, headers).is_ok());
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(run) = message["data"]["executionId"].as_str().filter(|_| signed) else {
        return reply(StatusCode::UNAUTHORIZED, &Value::Null);
    };
    let mut runs = runs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let step = runs.entry(run.to_owned()).or_default();
    *step += 1;
    if *step > STEPS {
        let result = json!({"summary": "rolled out to 4 hosts", "outputVariables": {"Hosts": "4"}});
        return reply(StatusCode::OK, &result);
    }
    let percent = *step * 100 / (STEPS + 1);
    let summary = format!("host {step} of {STEPS}");
    let progress = json!({"summary": summary, "percentComplete": percent, "externalExecutionId": run});
    let mut response = reply(StatusCode::ACCEPTED, &progress);
    if let Ok(location) = format!("/jobs/{run}").parse() {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    response
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
