//! The way between one worker process and the emulator: passes requests on, records their results, and springs the
//! trap.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{RwLock, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::plan::{Moment, Trap};
use super::step::{self, Step};

/// A request with its response.
#[derive(Clone)]
pub(crate) struct Record {
    /// When the response was sent.
    pub(crate) at: Instant,
    pub(crate) step: Step,
    /// The job that the request names.
    pub(crate) job: Option<String>,
    /// How often the job was adopted, according to the entry in the request.
    pub(crate) adoptions: u64,
    pub(crate) status: StatusCode,
}

/// The records of all wires of a scenario.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) records: Vec<Record>,
    /// The jobs that were polled or arrived as events, with the configured ids of their actions.
    pub(crate) jobs: BTreeMap<String, String>,
}

/// The log that the wires of a scenario share.
#[derive(Clone, Default)]
pub(crate) struct SharedLog(Arc<Mutex<Log>>);

impl SharedLog {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process's way to the emulator.
pub(crate) struct Wire {
    endpoint: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    /// `host:port`
    server: String,
    log: SharedLog,
    /// A request holds it for reading until it is answered. Holding it for writing shows that no request is under way.
    closed: Arc<RwLock<bool>>,
    trap: Mutex<Option<Trap>>,
    /// The step at which the process met the trap.
    sprung: watch::Sender<Option<Step>>,
    /// The jobs that the process holds.
    holding: Mutex<Vec<String>>,
}

impl Wire {
    pub(crate) async fn start(server: &str, log: &SharedLog) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: server.trim_start_matches("http://").to_owned(),
            log: log.clone(),
            closed: Arc::default(),
            trap: Mutex::default(),
            sprung: watch::Sender::default(),
            holding: Mutex::default(),
        });
        let answering = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            // Ends with this task.
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                let shared = Arc::clone(&answering);
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { shared.pass(request).await }
                });
                let connection = TokioIo::new(connection);
                connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(connection, service));
            }
        });
        Self { endpoint, shared, accepting }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sets a trap, which replaces an earlier one.
    pub(crate) fn lay(&self, trap: Option<Trap>) {
        self.shared.sprung.send_replace(None);
        *lock(&self.shared.trap) = trap;
        lock(&self.shared.holding).clear();
    }

    /// Returns at which step the process met the trap, once it has.
    pub(crate) async fn sprung(&self) -> Step {
        let mut sprung = self.shared.sprung.subscribe();
        sprung.wait_for(Option::is_some).await.unwrap().unwrap()
    }

    /// The ids of the jobs that the process holds and has not finished.
    pub(crate) fn holding(&self) -> Vec<String> {
        lock(&self.shared.holding).clone()
    }

    /// Stops passing requests on, because the process is dead. Returns when all earlier requests have taken effect.
    pub(crate) async fn close(&self) {
        *self.shared.closed.write().await = true;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    async fn pass(self: &Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let step = Step::of(&head, &body);
        let moment = lock(&self.trap).as_mut().and_then(|trap| trap.moment_at(step));
        if moment == Some(Moment::Before) {
            return Ok(self.spring(step).await);
        }
        // In a separate task: a killed process closes the connection, but its request takes effect and is recorded
        // anyway.
        let shared = Arc::clone(self);
        let passing = tokio::spawn(async move {
            let closed = Arc::clone(&shared.closed).read_owned().await;
            if *closed {
                return Ok::<_, hyper::Error>(None);
            }
            let response = shared.forward(&head, body.clone()).await?;
            shared.note(step, &head, &body, &response);
            Ok(Some(response))
        });
        let Some(response) = passing.await.unwrap()? else { return std::future::pending().await };
        match moment {
            Some(Moment::Unanswered) => Ok(self.spring(step).await),
            Some(Moment::Answered) => {
                // The response is under way at the kill, or has just arrived.
                self.sprung.send_replace(Some(step));
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    /// Has the process killed, and answers nothing.
    async fn spring(&self, step: Step) -> Response<Full<Bytes>> {
        self.sprung.send_replace(Some(step));
        std::future::pending().await
    }

    async fn forward(&self, head: &Parts, body: Bytes) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let stream = TcpStream::connect(&self.server).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.headers_mut() = head.headers.clone();
        for hop in ["connection", "transfer-encoding", "expect"] {
            request.headers_mut().remove(hop);
        }
        let (mut head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        head.headers.remove("connection");
        head.headers.remove("transfer-encoding");
        Ok(Response::from_parts(head, Full::new(body)))
    }

    fn note(&self, step: Step, head: &Parts, body: &Bytes, response: &Response<Full<Bytes>>) {
        let status = response.status();
        let operation = step::operation(head).unwrap_or_default().to_owned();
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| said[name].as_str().map(str::to_owned);
        let job = match step {
            Step::Claim | Step::Hold | Step::Outcome | Step::Mark | Step::Adopt => member("job"),
            _ => member("jobId"),
        };
        if status.is_success() {
            match (step, &job) {
                (Step::Hold | Step::Adopt, Some(job)) => lock(&self.holding).push(job.clone()),
                (Step::Outcome, Some(job)) => lock(&self.holding).retain(|held| held != job),
                _ => {}
            }
        }
        let adoptions = said["adoptions"].as_u64().unwrap_or(0);
        let mut log = self.log.lock();
        if status.is_success() && head.method == Method::POST {
            log.note_jobs(&operation, response.body());
        }
        log.records.push(Record { at: Instant::now(), step, job, adoptions, status });
    }
}

impl Log {
    fn note_jobs(&mut self, operation: &str, answer: &Full<Bytes>) {
        let Some(bytes) = futures_util::FutureExt::now_or_never(answer.clone().collect()) else { return };
        let answer: Value = serde_json::from_slice(&bytes.unwrap().to_bytes()).unwrap_or_default();
        match operation {
            "PollForJobs" => answer["jobs"].as_array().into_iter().flatten().for_each(|job| self.note_job(job)),
            "GetThirdPartyJobDetails" => self.note_job(&answer["jobDetails"]),
            _ => {}
        }
    }

    /// Records a job from a poll, from third-party details or from an event.
    pub(crate) fn note_job(&mut self, job: &Value) {
        let configuration = &job["data"]["actionConfiguration"]["configuration"];
        let parameters: Value = configuration["UserParameters"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let action = configuration["Id"].as_str().or(parameters["Id"].as_str()).unwrap_or_default();
        self.jobs.insert(job["id"].as_str().unwrap().to_owned(), action.to_owned());
    }
}
