//! The emulator on its port: CodePipeline's requests to the engine, all others to S3; and what the engine wants done in between.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use s3s::dto::{Timestamp as Date, TimestampFormat};
use s3s::{Body, HttpError};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::api;
use crate::clock::Clock;
use crate::engine::{Connection, Effect, Engine, Settings, SourceError, SourceId, SourceRevision};
use crate::ids::random_uuid;
use crate::listener::Listener;
use crate::request_log::RequestLog;
use crate::s3::{CopyError, S3Pace, Store};
use crate::subscribers::Subscribers;
use crate::types::{Grant, ObjectRef, Permissions};

const TARGET: &str = "X-Amz-Target";
/// What the targets of CodePipeline's operations begin with; the version of the API follows.
const SERVICE: &str = "CodePipeline_";
/// The longest request to CodePipeline. The largest pipeline that the quotas allow is smaller.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// How an emulator is started.
pub struct Options {
    /// The loopback port; 0 for any that is free.
    pub port: u16,
    /// Where S3 keeps its objects. Without one they live in a temporary folder, and end with the emulator.
    pub data: Option<PathBuf>,
    /// What CodePipeline does where its documentation is silent.
    pub engine: Settings,
    /// The third-party connections there are, read by [`api::read_connections`].
    pub connections: Vec<Connection>,
    /// How slow S3 is for jobs.
    pub s3: S3Pace,
    /// What ids, nonces and credentials are made from: the same seed and the same requests give the same ones.
    pub seed: u64,
    /// The time of CodePipeline and S3.
    pub clock: Clock,
}

impl Default for Options {
    /// Any port, a temporary folder, the engine's defaults, and the machine's time.
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            engine: Settings::default(),
            connections: Vec::new(),
            s3: S3Pace::default(),
            seed: 0,
            clock: Clock::machine(),
        }
    }
}

/// A function that a Lambda Invoke action calls. The event holds secrets: no `Debug`.
#[derive(Clone)]
pub struct JobInvocation {
    /// What the action's configuration names.
    pub function: String,
    /// The `CodePipeline.job` event.
    pub event: Value,
}

/// CodePipeline and S3 on one port, until it is stopped or dropped.
pub struct Emulator {
    listener: Listener,
    driver: JoinHandle<()>,
    log: RequestLog,
    folder: Option<TempDir>,
    events: Subscribers<Value>,
    invocations: Subscribers<JobInvocation>,
}

impl Emulator {
    /// Starts one. Fails if the port is taken, the data folder can't be used, or the connections contradict each other.
    pub async fn start(options: Options) -> io::Result<Self> {
        let Options { port, data, engine: settings, connections, s3, seed, clock } = options;
        let folder = data.is_none().then(|| TempDir::with_prefix("codepipeline-local-")).transpose()?;
        let path = data.as_deref().or(folder.as_ref().map(TempDir::path)).unwrap_or(std::path::Path::new("."));
        let mut engine = Engine::new(settings, seed);
        engine.connect(connections).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let engine = Arc::new(Mutex::new(engine));
        let log = RequestLog::default();
        let permissions = Arc::new(EnginePermissions(Arc::clone(&engine)));
        let store = Store::open(path, clock.clone(), permissions, log.clone(), s3).map_err(|error| {
            io::Error::new(error.kind(), format!("can't keep objects in {}: {error}", path.display()))
        })?;
        let (events, invocations) = (Subscribers::default(), Subscribers::default());
        let shared = Arc::new(Shared {
            engine,
            clock,
            store,
            log: log.clone(),
            changed: Notify::new(),
            events: events.clone(),
            invocations: invocations.clone(),
        });

        let answering = Arc::clone(&shared);
        let listener = Listener::start(port, move |request| {
            let shared = Arc::clone(&answering);
            async move { shared.answer(request).await }
        });
        let listener = listener.await?;
        let driver = tokio::spawn(async move { shared.drive().await });
        Ok(Self { listener, driver, log, folder, events, invocations })
    }

    /// What `AWS_ENDPOINT_URL` must say.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// From now on, every event of a pipeline, a stage or an action, as EventBridge would deliver it. Ends with the emulator.
    pub fn events(&self) -> mpsc::UnboundedReceiver<Value> {
        self.events.subscribe()
    }

    /// From now on, every job of a Lambda Invoke action. Whoever takes them invokes the function. Ends with the emulator.
    pub fn job_invocations(&self) -> mpsc::UnboundedReceiver<JobInvocation> {
        self.invocations.subscribe()
    }

    /// How often an operation was called, whatever came of it: `PollForJobs`, `PutObject`.
    pub fn calls(&self, operation: &str) -> usize {
        self.log.count(operation)
    }

    /// The operations that were called, in their order; of very many the last hundred thousand.
    pub fn operations(&self) -> Vec<String> {
        self.log.in_order()
    }

    /// Closes the port and all connections, and removes what was temporary.
    pub async fn stop(mut self) {
        self.driver.abort();
        self.listener.stop().await;
        if let Some(folder) = self.folder.take() {
            // What remains is in the system's folder for temporary files.
            let _ = folder.close();
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

struct Shared {
    engine: Arc<Mutex<Engine>>,
    clock: Clock,
    store: Store,
    log: RequestLog,
    changed: Notify,
    events: Subscribers<Value>,
    invocations: Subscribers<JobInvocation>,
}

fn lock(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What S3 asks the engine.
struct EnginePermissions(Arc<Mutex<Engine>>);

impl Permissions for EnginePermissions {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        lock(&self.0).grant(access_key_id)
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        lock(&self.0).is_artifact_store(bucket)
    }
}

impl Shared {
    /// Lets time pass in the engine, whether or not anyone calls.
    async fn drive(&self) {
        loop {
            let (effects, due) = {
                let mut engine = lock(&self.engine);
                engine.advance(self.clock.now());
                (engine.take_effects(), engine.next_due())
            };
            if effects.is_empty() {
                tokio::select! {
                    () = self.clock.reached(due) => {}
                    () = self.changed.notified() => {}
                }
            } else {
                self.perform(effects).await;
            }
        }
    }

    /// Does what the engine wants done, and all that follows from it.
    async fn perform(&self, effects: Vec<Effect>) {
        let mut left = std::collections::VecDeque::from(effects);
        while let Some(effect) = left.pop_front() {
            match effect {
                Effect::CreateBucket { bucket } => {
                    if let Err(error) = self.store.create_bucket(&bucket) {
                        tracing::warn!(bucket, %error, "an artifact store can't be made");
                    }
                }
                Effect::CopySource { id, from, to } => self.copy_source(id, &from, &to).await,
                Effect::Event(event) => self.events.send(&event),
                Effect::InvokeFunction { function, job } => self.invoke(function, &job),
            }
            left.extend(lock(&self.engine).take_effects());
        }
    }

    fn invoke(&self, function: String, job: &str) {
        let Some(event) = api::job_event(&mut lock(&self.engine), self.clock.now(), job) else { return };
        if self.invocations.is_empty() {
            tracing::warn!(function, "a Lambda Invoke action has no function to invoke; it will time out");
        }
        self.invocations.send(&JobInvocation { function, event });
    }

    async fn copy_source(&self, id: SourceId, from: &ObjectRef, to: &ObjectRef) {
        let result = match self.store.copy(from, to).await {
            // The store keeps no versions, so an object's entity tag is what tells its revisions apart.
            Ok(copied) => Ok(SourceRevision {
                revision: copied.e_tag.clone(),
                etag: Some(copied.e_tag),
                version_id: None,
                summary: copied.revision_summary,
            }),
            Err(CopyError::NotFound(what)) => Err(SourceError::NotFound(what)),
            Err(CopyError::Failed(why)) => Err(SourceError::Other(why)),
        };
        lock(&self.engine).source_finished(self.clock.now(), id, result);
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let mut reply = match request.headers().get(TARGET) {
            Some(target) => {
                let target = String::from_utf8_lossy(target.as_bytes()).into_owned();
                self.answer_codepipeline(&target, request.into_body()).await
            }
            None => self.store.answer(request).await?,
        };
        let headers = reply.headers_mut();
        if let Ok(request_id) = HeaderValue::try_from(random_uuid()) {
            // The one is CodePipeline's name for it, the other S3's.
            headers.insert("x-amzn-requestid", request_id.clone());
            headers.insert("x-amz-request-id", request_id);
        }
        if let Some(date) = self.date() {
            headers.insert(http::header::DATE, date);
        }
        Ok(reply)
    }

    /// S3's time is what clients judge leases by, so it is the emulator's and not the machine's.
    fn date(&self) -> Option<HeaderValue> {
        let mut text = Vec::new();
        let seconds = Duration::from_secs(self.clock.now().0 / 1000);
        Date::from(UNIX_EPOCH + seconds).format(TimestampFormat::HttpDate, &mut text).ok()?;
        HeaderValue::from_bytes(&text).ok()
    }

    async fn answer_codepipeline(&self, target: &str, body: Incoming) -> Response<Body> {
        let Some(operation) = target.strip_prefix(SERVICE).and_then(|rest| rest.split_once('.')) else {
            let message =
                format!("{target} is no operation of CodePipeline, which is all that the emulator has beside S3");
            return failure(StatusCode::BAD_REQUEST, "UnknownOperationException", &message);
        };
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let message = format!("the request can't be read: {error}; it may have {MAX_BODY} bytes");
                return failure(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &message);
            }
        };
        self.log.add(operation.1);
        let (reply, effects) = {
            let mut engine = lock(&self.engine);
            let reply = api::answer(&mut engine, self.clock.now(), target, &body);
            (reply, engine.take_effects())
        };
        // Done before the answer: who has made a pipeline may put into its bucket.
        self.perform(effects).await;
        self.changed.notify_one();
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json_reply(status, reply.body)
    }
}

fn failure(status: StatusCode, name: &str, message: &str) -> Response<Body> {
    json_reply(status, serde_json::json!({"__type": name, "message": message}).to_string().into_bytes())
}

fn json_reply(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut reply = Response::new(Body::from(Bytes::from(body)));
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, json);
    reply
}
