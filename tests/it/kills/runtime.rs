//! The Lambda Runtime API for one process, which must end itself: this runtime never kills it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::lone::schedule;

/// How long an invocation takes at most that finds nothing to do, and how long the test waits for the process.
const A_MINUTE: Duration = Duration::from_secs(60);

/// Delivers two events. The invocation of the first finds nothing to do. The process must not survive the second.
pub(crate) struct Runtime {
    address: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    /// The time for the second event, from its delivery.
    time: Duration,
    stage: watch::Sender<Stage>,
    deadline: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    /// The process has the first event.
    Warming,
    /// The process has answered the first event.
    Warm,
    /// The process has asked for the second event.
    Waiting,
    /// The process may have the second event.
    Released,
    /// The process has the second event.
    Working,
    /// The process has sent something that it should not send.
    Wrong(String),
}

impl Runtime {
    pub(crate) async fn start(time: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared { time, stage: watch::Sender::new(Stage::Starting), deadline: Mutex::default() });
        let answering = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let shared = Arc::clone(&answering);
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(shared.answer(request).await) }
                });
                let connection = TokioIo::new(connection);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(connection, service));
            }
        });
        Self { address, shared, accepting }
    }

    /// The variables that Lambda sets for a function of this name.
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

    /// Returns when the process has answered the first event.
    pub(crate) async fn warmed(&self) {
        let mut stage = self.shared.stage.subscribe();
        self.watching(async { stage.wait_for(|stage| *stage == Stage::Waiting).await.map(drop).unwrap() }).await;
    }

    /// Delivers the second event, and returns its deadline.
    pub(crate) async fn release(&self) -> Instant {
        self.shared.stage.send_replace(Stage::Released);
        let mut stage = self.shared.stage.subscribe();
        self.watching(async { stage.wait_for(|stage| *stage == Stage::Working).await.map(drop).unwrap() }).await;
        self.shared.deadline.lock().unwrap().unwrap()
    }

    /// Waits for `it`, for at most a minute. Fails at once if the process sends something that it should not send.
    pub(crate) async fn watching<T>(&self, it: impl Future<Output = T>) -> T {
        let mut stage = self.shared.stage.subscribe();
        tokio::select! {
            biased;
            wrong = stage.wait_for(|stage| matches!(stage, Stage::Wrong(_))) => panic!("{:?}", *wrong.unwrap()),
            it = timeout(A_MINUTE, it) => it.expect("it happens within a minute"),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let stage = self.stage.borrow().clone();
        match (&head.method, stage) {
            (&Method::GET, Stage::Starting) if path.ends_with("/next") => {
                self.stage.send_replace(Stage::Warming);
                event(A_MINUTE)
            }
            (&Method::POST, Stage::Warming) if path.ends_with("/response") => {
                self.stage.send_replace(Stage::Warm);
                Response::builder().status(202).body(Full::default()).unwrap()
            }
            (&Method::GET, Stage::Warm) if path.ends_with("/next") => {
                self.stage.send_replace(Stage::Waiting);
                let _ = self.stage.subscribe().wait_for(|stage| *stage == Stage::Released).await;
                *self.deadline.lock().unwrap() = Some(Instant::now() + self.time);
                let event = event(self.time);
                self.stage.send_replace(Stage::Working);
                event
            }
            (method, stage) => {
                let said = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
                let said = String::from_utf8_lossy(&said);
                self.stage.send_replace(Stage::Wrong(format!("{method} {path} while {stage:?}: {said}")));
                std::future::pending().await
            }
        }
    }
}

fn event(time: Duration) -> Response<Full<Bytes>> {
    let deadline = time_of_day() + time;
    Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", "11111111-2222-4333-8444-555555555555")
        .header("Lambda-Runtime-Deadline-Ms", u64::try_from(deadline.as_millis()).unwrap())
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:worker")
        .body(Full::new(Bytes::from(schedule().to_string())))
        .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "Lambda states a deadline as a time of day")]
fn time_of_day() -> Duration {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
