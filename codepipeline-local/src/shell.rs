//! What surrounds the engine: CodePipeline's requests go to it, STS's one call and Secrets Manager's are answered, requests for a
//! service that is elsewhere are passed on, all others go to S3, and what it wants done in between is done.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use s3s::dto::{Timestamp as Date, TimestampFormat};
use s3s::{Body, HttpError};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::api;
use crate::clock::Clock;
use crate::endpoints::{Endpoints, Forwarded};
use crate::engine::{Effect, SourceError, SourceId, SourceRevision};
use crate::expectation::Expectation;
use crate::faults::{Call, Caller, Faults, Late, inject};
use crate::ids::random_uuid;
use crate::kept_engine::KeptEngine;
use crate::outcome::{Outcome, Subject};
use crate::request_log::RequestLog;
use crate::s3::{CopyError, Store};
use crate::server::JobInvocation;
use crate::services::{self, Service};
use crate::store::NotKept;
use crate::subscribers::Subscribers;
use crate::types::{Grant, ObjectRef, Permissions};
use crate::{secrets, sts};

/// The longest request to CodePipeline or Secrets Manager. The largest pipeline that the quotas allow is smaller.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The engine, the store, and those who listen.
pub(crate) struct Shared {
    pub(crate) engine: KeptEngine,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) log: RequestLog,
    pub(crate) endpoints: Endpoints,
    pub(crate) faults: Faults,
    /// What faults have put off.
    pub(crate) late: Late,
    /// Tells the driver of a change, and lets it tell when what follows from it is done.
    pub(crate) changed: mpsc::UnboundedSender<oneshot::Sender<()>>,
    pub(crate) events: Subscribers<Value>,
    pub(crate) invocations: Subscribers<JobInvocation>,
}

/// What S3 asks the engine.
pub(crate) struct EnginePermissions(pub(crate) KeptEngine);

impl Permissions for EnginePermissions {
    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.0.look(|engine| engine.grant(access_key_id))
    }

    fn is_artifact_store(&self, bucket: &str) -> bool {
        self.0.look(|engine| engine.is_artifact_store(bucket))
    }
}

impl Shared {
    /// Lets time pass in the engine, whether or not anyone calls, and does what it wants done. Nobody else does: a request ends
    /// when its client goes away, and what was asked for must be done all the same.
    ///
    /// An effect leaves once the change behind it is kept. Fails if a change can't be kept.
    pub(crate) async fn drive(&self, mut changes: mpsc::UnboundedReceiver<oneshot::Sender<()>>) -> Result<(), NotKept> {
        let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
        loop {
            let ((effects, due), pending) = self.engine.act(|engine| {
                engine.advance(self.clock.now());
                (engine.take_effects(), engine.next_due())
            });
            pending.kept().await?;
            if !effects.is_empty() {
                for effect in effects {
                    self.perform(effect).await?;
                }
                continue;
            }
            for done in waiting.drain(..) {
                // Whoever asked may be gone.
                let _ = done.send(());
            }
            tokio::select! {
                () = self.clock.reached(due) => {}
                Some(done) = changes.recv() => waiting.push(done),
            }
            while let Ok(done) = changes.try_recv() {
                waiting.push(done);
            }
        }
    }

    async fn perform(&self, effect: Effect) -> Result<(), NotKept> {
        match effect {
            Effect::CreateBucket { bucket } => {
                if let Err(error) = self.store.create_bucket(&bucket) {
                    tracing::warn!(bucket, %error, "an artifact store can't be made");
                }
            }
            Effect::CopySource { id, from, version, to, encryption_key } => {
                self.copy_source(id, (&from, version.as_deref()), &to, encryption_key).await?;
            }
            Effect::LookAtSource { id, object } => {
                let found = self.look_at(&object);
                let ((), pending) = self.engine.act(|engine| engine.source_looked(self.clock.now(), id, found));
                pending.kept().await?;
            }
            Effect::Event(event) => self.events.send(&event),
            Effect::InvokeFunction { function, job } => self.invoke(function, &job).await?,
            Effect::CheckOutputs { id, mut places } => {
                places.retain(|place| !self.store.has(place));
                let ((), pending) = self.engine.act(|engine| engine.outputs_checked(self.clock.now(), id, &places));
                pending.kept().await?;
            }
        }
        Ok(())
    }

    async fn invoke(&self, function: String, job: &str) -> Result<(), NotKept> {
        let (event, pending) = self.engine.act(|engine| api::job_event(engine, self.clock.now(), job));
        let Some(event) = event else { return Ok(()) };
        pending.kept().await?;
        if self.invocations.is_empty() {
            tracing::warn!(job, "a Lambda Invoke action has no function to invoke; it will time out");
        }
        self.invocations.send(&JobInvocation { function, event });
        Ok(())
    }

    fn look_at(&self, object: &ObjectRef) -> Result<String, SourceError> {
        let missing = || SourceError::NotFound(format!("{} in {}", object.key, object.bucket));
        self.store.revision(object).ok_or_else(missing)
    }

    async fn copy_source(
        &self,
        id: SourceId,
        from: (&ObjectRef, Option<&str>),
        to: &ObjectRef,
        key_id: Option<String>,
    ) -> Result<(), NotKept> {
        let result = match self.store.copy(from, to, key_id).await {
            // Without version ids, the entity tag is what tells an object's revisions apart.
            Ok(copied) => Ok(SourceRevision {
                revision: copied.version_id.clone().unwrap_or_else(|| copied.e_tag.clone()),
                etag: Some(copied.e_tag),
                version_id: copied.version_id,
                summary: copied.revision_summary,
            }),
            Err(CopyError::NotFound(what)) => Err(SourceError::NotFound(what)),
            Err(CopyError::Failed(why)) => Err(SourceError::Other(why)),
        };
        let ((), pending) = self.engine.act(|engine| engine.source_finished(self.clock.now(), id, result));
        pending.kept().await
    }

    /// Answers a request, unless a fault is for it. Fails if the connection must be given up.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let (request, expectation) = Expectation::of(request).await;
        let (parts, body) = request.into_parts();
        let service = Service::of(&parts);
        let call = Call::of(&service, &parts);
        let outcome = Outcome::of(&service, &call, &parts);
        let reply = self.answer_call(service, &call, Request::from_parts(parts, body), expectation).await;
        if let Some(outcome) = outcome {
            outcome.ended(&reply);
        }
        reply
    }

    async fn answer_call(
        self: Arc<Self>,
        service: Service,
        call: &Call,
        request: Request<Body>,
        expectation: Expectation,
    ) -> Result<Response<Body>, HttpError> {
        let shared = Arc::clone(&self);
        let respond = move |request| async move { shared.respond(&service, request).await };
        let mut reply = match self.faults.next(call, self.clock.now()) {
            None => respond(request).await?,
            Some(kind) => {
                if let Some(operation) = call.operation().filter(|_| kind.prevents_the_call()) {
                    self.log.add(operation);
                }
                let caller = self.engine.look(|engine| Caller {
                    account_id: engine.settings.account_id.clone(),
                    region: engine.settings.region.clone(),
                });
                inject(kind, call, request, respond, (&self.late, &self.clock, &caller)).await?
            }
        };
        expectation.settle(&mut reply);
        if reply.extensions().get::<Forwarded>().is_some() {
            return Ok(reply);
        }
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

    async fn respond(&self, service: &Service, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        if let Some(endpoint) = self.endpoints.of(service.name()) {
            return Ok(endpoint.forward(request).await);
        }
        match service {
            Service::CodePipeline(target) => {
                Ok(self.answer_codepipeline(target, service.operation().unwrap_or_default(), request.into_body()).await)
            }
            Service::SecretsManager(operation) => {
                if operation == secrets::OPERATION {
                    self.log.add(operation);
                }
                let body = match read(request.into_body()).await {
                    Ok(body) => body,
                    Err(refusal) => return Ok(refusal),
                };
                Ok(self.engine.look(|engine| secrets::answer(engine, operation, &body)))
            }
            _ if sts::is_for(&request) => {
                self.log.add(sts::OPERATION);
                let account = self.engine.look(|engine| engine.settings.account_id.clone());
                Ok(sts::answer(&account, request).await)
            }
            Service::Other { name, target } => Ok(services::refuse(name, target.as_deref())),
            Service::S3 => self.store.answer(request).await,
        }
    }

    async fn answer_codepipeline(&self, target: &str, operation: &str, body: Body) -> Response<Body> {
        let body = match read(body).await {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let subject = Subject::of(&body);
        self.log.add(operation);
        let ((reply, follows), pending) = self.engine.act(|engine| {
            let reply = api::answer(engine, self.clock.now(), target, &body);
            (reply, engine.has_effects())
        });
        let (done, is_done) = oneshot::channel();
        // This comes before any wait, because a client may go away at any moment. The driver ends after the port is closed, or when a
        // change can't be kept.
        let _ = self.changed.send(done);
        if let Err(error) = pending.kept().await {
            return failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", &error.to_string());
        }
        if follows {
            // Done before the answer: who has made a pipeline may put into its bucket.
            let _ = is_done.await;
        }
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = json_reply(status, reply.body);
        if let Some(subject) = subject {
            reply.extensions_mut().insert(subject);
        }
        reply
    }
}

/// A request's body, or the answer to one that can't be read.
async fn read(body: Body) -> Result<Bytes, Response<Body>> {
    let read = Limited::new(body, MAX_BODY).collect().await;
    read.map(Collected::to_bytes).map_err(|error| {
        let message = format!("the request can't be read: {error}; it may have {MAX_BODY} bytes");
        failure(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &message)
    })
}

pub(crate) fn failure(status: StatusCode, name: &str, message: &str) -> Response<Body> {
    json_reply(status, serde_json::json!({"__type": name, "message": message}).to_string().into_bytes())
}

pub(crate) fn json_reply(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut reply = Response::new(Body::from(Bytes::from(body)));
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, json);
    reply
}
