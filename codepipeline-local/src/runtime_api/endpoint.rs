//! The Runtime API: one port for each process.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use crate::clock::Clock;
use crate::listener::{Bound, FREE_PORT, Listener};
use crate::web_pages::foreign_host;

/// Lambda's limit for a response (Lambda Developer Guide, "Lambda quotas").
const MAX_RESPONSE: usize = 6 * 1024 * 1024;
const PREFIX: &str = "/2018-06-01/runtime/";

/// A bootstrap's reply to an event.
pub(super) enum BootstrapReply {
    Response(Value),
    Error { error_type: String, message: String },
    InitError { error_type: String, message: String },
}

/// An event that waits for the bootstrap to ask for it.
struct Event {
    id: String,
    timeout: Duration,
    body: Bytes,
    taken: oneshot::Sender<()>,
    reply: oneshot::Sender<BootstrapReply>,
}

/// An event that was offered to a bootstrap, as its invoker sees it.
pub(super) struct Offer {
    /// Completes when the bootstrap takes the event. Dropped if it never will.
    pub(super) taken: oneshot::Receiver<()>,
    /// The reply. Dropped if there will be none.
    pub(super) reply: oneshot::Receiver<BootstrapReply>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Event>,
    current: Option<(String, oneshot::Sender<BootstrapReply>)>,
}

/// Listens for one bootstrap.
pub(super) struct Endpoint {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared {
    function_arn: String,
    state: Mutex<State>,
    offered: Notify,
}

impl Endpoint {
    pub(super) async fn start(function_arn: String) -> io::Result<Self> {
        let shared = Arc::new(Shared { function_arn, state: Mutex::default(), offered: Notify::new() });
        let answering = Arc::clone(&shared);
        let listener = Bound::to(FREE_PORT).await?.serve(move |request| {
            let shared = Arc::clone(&answering);
            async move { Ok::<_, Infallible>(shared.handle(request).await) }
        });
        Ok(Self { listener, shared })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Queues the event for the bootstrap's next request for an event.
    pub(super) fn offer(&self, id: String, timeout: Duration, event: &Value) -> Offer {
        let (taken, was_taken) = oneshot::channel();
        let (reply, replied) = oneshot::channel();
        let body = Bytes::from(event.to_string());
        self.shared.lock().waiting.push_back(Event { id, timeout, body, taken, reply });
        self.shared.offered.notify_one();
        Offer { taken: was_taken, reply: replied }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        if parts.headers.contains_key(header::ORIGIN) || foreign_host(&parts).is_some() {
            return error(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "the Runtime API answers no web page: send no Origin, and the address of AWS_LAMBDA_RUNTIME_API as Host",
            );
        }
        let Some(path) = parts.uri.path().strip_prefix(PREFIX) else {
            return error(
                StatusCode::NOT_FOUND,
                "UnknownPath",
                "the Runtime API's paths begin with /2018-06-01/runtime/",
            );
        };
        let steps: Vec<_> = path.split('/').collect();
        match (&parts.method, steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => match read(body).await {
                Ok(body) => self.response(id, &body),
                Err(refusal) => refusal,
            },
            (&Method::POST, ["invocation", id, "error"]) => match read(body).await {
                Ok(body) => {
                    let (error_type, message) = error_of(&parts.headers, &body);
                    self.settle(id, BootstrapReply::Error { error_type, message })
                }
                Err(refusal) => refusal,
            },
            (&Method::POST, ["init", "error"]) => match read(body).await {
                Ok(body) => self.init_error(&parts.headers, &body),
                Err(refusal) => refusal,
            },
            _ => error(StatusCode::NOT_FOUND, "UnknownPath", "the emulator's Runtime API has no such path and method"),
        }
    }

    /// Waits for an event without a limit, because a bootstrap asks without a timeout.
    async fn next(&self) -> Response<Full<Bytes>> {
        let event = loop {
            if let Some(event) = self.lock().waiting.pop_front() {
                break event;
            }
            self.offered.notified().await;
        };
        // The bootstrap compares the deadline with the machine's time.
        let now = Clock::machine().now();
        self.lock().current = Some((event.id.clone(), event.reply));
        // This fails if the invoker has given up.
        let _ = event.taken.send(());
        let trace = format!("Root=1-{:08x}-{}", now.0 / 1000, &event.id.replace('-', "")[8..]);
        let reply = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &event.id)
            .header("Lambda-Runtime-Deadline-Ms", now.after(event.timeout).0)
            .header("Lambda-Runtime-Invoked-Function-Arn", &self.function_arn)
            .header("Lambda-Runtime-Trace-Id", format!("{trace};Sampled=0"))
            .body(Full::new(event.body));
        reply.unwrap_or_else(|cause| error(StatusCode::INTERNAL_SERVER_ERROR, "InvalidHeader", &cause.to_string()))
    }

    fn response(&self, id: &str, body: &[u8]) -> Response<Full<Bytes>> {
        // Lambda accepts any bytes. A body that is not JSON becomes a string.
        let value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(body).into_owned()),
        };
        self.settle(id, BootstrapReply::Response(value))
    }

    fn settle(&self, id: &str, reply: BootstrapReply) -> Response<Full<Bytes>> {
        let mut state = self.lock();
        match state.current.take() {
            Some((current, sender)) if current == id => {
                let _ = sender.send(reply);
                accepted()
            }
            other => {
                state.current = other;
                error(StatusCode::BAD_REQUEST, "InvalidRequestID", "this request id is not the current invocation's")
            }
        }
    }

    fn init_error(&self, headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
        let (error_type, message) = error_of(headers, body);
        let mut state = self.lock();
        let waiting = state.current.take().map(|(_, sender)| sender);
        let waiting = waiting.or_else(|| state.waiting.pop_front().map(|event| event.reply));
        if let Some(sender) = waiting {
            let _ = sender.send(BootstrapReply::InitError { error_type, message });
        }
        accepted()
    }
}

async fn read(body: Incoming) -> Result<Bytes, Response<Full<Bytes>>> {
    let read = Limited::new(body, MAX_RESPONSE).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|cause| {
        let message = format!("{cause}; a response may have at most {MAX_RESPONSE} bytes");
        error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
    })
}

/// Reads the type and message of a reported error: `{"errorMessage": …, "errorType": …}`. The type may be in a header instead.
fn error_of(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let report: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = |member: &str| report.get(member).and_then(Value::as_str).map(str::to_owned);
    let header = headers.get("Lambda-Runtime-Function-Error-Type").and_then(|value| value.to_str().ok());
    let error_type = named("errorType").or(header.map(str::to_owned)).unwrap_or_else(|| "Unknown".into());
    (error_type, named("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

fn accepted() -> Response<Full<Bytes>> {
    reply(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn error(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    reply(status, &json!({"errorType": error_type, "errorMessage": message}))
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert("Content-Type", http::HeaderValue::from_static("application/json"));
    reply
}
