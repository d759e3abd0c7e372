//! A service that does the work of an `http` action. It accepts the job, and says that it is done when it is asked
//! again.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::scenario::{SLOW, append};

pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) struct Service {
    pub(crate) url: String,
    /// Whether slow work is done.
    gate: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Service {
    /// Writes a line for each message to the file of runs, as a command would.
    pub(crate) async fn start(runs: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jobs", listener.local_addr().unwrap());
        let runs = Arc::new(runs);
        let (gate, gated) = watch::channel(true);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (runs, gated) = (Arc::clone(&runs), gated.clone());
                let service = service_fn(move |request| answer(request, Arc::clone(&runs), gated.clone()));
                let connection = TokioIo::new(connection);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(connection, service));
            }
        });
        Self { url, gate, accepting }
    }

    /// Makes slow work last until further notice, or ends it.
    pub(crate) fn set_slow(&self, slow: bool) {
        self.gate.send_replace(!slow);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    runs: Arc<PathBuf>,
    mut gated: watch::Receiver<bool>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let Ok(body) = request.into_body().collect().await else { return Ok(reply(StatusCode::BAD_REQUEST, "")) };
    let message: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    let data = &message["data"];
    let (action, job) = (data["configuration"]["Id"].as_str(), data["jobId"].as_str());
    Ok(match (message["type"].as_str(), action, job) {
        (Some("job.started"), Some(action), Some(job)) if action.ends_with(SLOW) => {
            append(&runs, &format!("begun {action} {job}"));
            let _ = gated.wait_for(|open| *open).await;
            append(&runs, &format!("ended {action} {job}"));
            reply(StatusCode::OK, r#"{"summary": "done"}"#)
        }
        // The message is from an action whose worker died.
        (Some("job.abandoned"), ..) => reply(StatusCode::OK, "{}"),
        (Some("job.started"), Some(action), Some(job)) => {
            append(&runs, &format!("begun {action} {job}"));
            let mut accepted = reply(StatusCode::ACCEPTED, r#"{"summary": "begun"}"#);
            accepted.headers_mut().insert("Location", http::HeaderValue::from_static("/jobs/1"));
            accepted
        }
        (Some("job.continued"), Some(action), Some(job)) => {
            append(&runs, &format!("begun {action} {job}"));
            append(&runs, &format!("ended {action} {job}"));
            reply(StatusCode::OK, r#"{"summary": "done"}"#)
        }
        (kind, ..) => {
            append(&runs, &format!("unexpected {kind:?}"));
            reply(StatusCode::OK, "{}")
        }
    })
}

fn reply(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
}
