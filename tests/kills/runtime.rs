//! The Lambda Runtime API for one process that nobody kills: what is wanted to be seen is that it ends itself.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::lone::schedule;

/// Gives one event.
pub(crate) struct Runtime {
    address: String,
    deadline: Arc<Mutex<Option<Instant>>>,
    accepting: JoinHandle<()>,
}

impl Runtime {
    /// The event is to be done in so much time from when it is asked for.
    pub(crate) async fn start(time: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let deadline: Arc<Mutex<Option<Instant>>> = Arc::default();
        let given = Arc::clone(&deadline);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let given = Arc::clone(&given);
                let service = service_fn(move |request| answer(request, time, Arc::clone(&given)));
                let connection = TokioIo::new(connection);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(connection, service));
            }
        });
        Self { address, deadline, accepting }
    }

    /// What Lambda sets for a function of this name.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 6] {
        [
            ("AWS_LAMBDA_RUNTIME_API", &self.address),
            ("AWS_LAMBDA_FUNCTION_NAME", "worker"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "worker"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "worker"),
        ]
    }

    /// When the invocation is over, if it has begun.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        *self.deadline.lock().unwrap()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    time: Duration,
    given: Arc<Mutex<Option<Instant>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::POST {
        return Ok(Response::builder().status(202).body(Full::default()).unwrap());
    }
    if given.lock().unwrap().replace(Instant::now() + time).is_some() {
        return std::future::pending().await;
    }
    let deadline = time_of_day() + time;
    let event = Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", "11111111-2222-4333-8444-555555555555")
        .header("Lambda-Runtime-Deadline-Ms", u64::try_from(deadline.as_millis()).unwrap())
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:worker")
        .body(Full::new(Bytes::from(schedule().to_string())));
    Ok(event.unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a deadline is told as a time of day")]
fn time_of_day() -> Duration {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
