//! Routing of a request to the service that answers it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use s3s::dto::{Timestamp as Date, TimestampFormat};
use s3s::{Body, HttpError};
use tokio::sync::oneshot;

use super::shared::Shared;
use crate::endpoints::Forwarded;
use crate::expectation::Expectation;
use crate::faults::{Call, Caller, inject};
use crate::ids::random_uuid;
use crate::outcome::{Outcome, Subject};
use crate::page::is_for_page;
use crate::reply::{failure, json_reply};
use crate::services::{self, Service};
use crate::store::NotKept;
use crate::{api, secrets, sts};

/// The longest request to CodePipeline or Secrets Manager, which leaves room for the largest pipeline within the
/// quotas.
const MAX_BODY: usize = 16 * 1024 * 1024;

impl Shared {
    /// Answers a request, or injects a fault. Returns an error if the connection must be dropped.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let (request, expectation) = Expectation::of(request).await;
        let (parts, body) = request.into_parts();
        if is_for_page(&parts) {
            return Ok(self.answer_page(Request::from_parts(parts, body), &expectation).await);
        }
        let service = Service::of(&parts);
        let grant = |key: &str| self.engine.look(|engine| engine.grant(key));
        if let Some(refusal) = self.admission.refuse(&service, &parts, grant) {
            return refusal;
        }
        let call = Call::of(&service, &parts);
        let outcome = Outcome::of(&service, &call, &parts);
        let reply = self.answer_call(service, &call, Request::from_parts(parts, body), expectation).await;
        if let Some(outcome) = outcome {
            outcome.ended(&reply);
        }
        reply
    }

    async fn answer_page(&self, request: Request<Body>, expectation: &Expectation) -> Response<Body> {
        let call = |target: String, input: Vec<u8>| async move { self.call_codepipeline(&target, &input).await };
        let mut reply = self.page.answer(request, call).await;
        expectation.settle(&mut reply);
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
                inject(kind, call, request, respond, (&self.delayed_calls, &self.clock, &caller)).await?
            }
        };
        expectation.settle(&mut reply);
        if reply.extensions().get::<Forwarded>().is_some() {
            return Ok(reply);
        }
        let headers = reply.headers_mut();
        if let Ok(request_id) = HeaderValue::try_from(random_uuid()) {
            // The first is CodePipeline's name, the second S3's.
            headers.insert("x-amzn-requestid", request_id.clone());
            headers.insert("x-amz-request-id", request_id);
        }
        if let Some(date) = self.date() {
            headers.insert(http::header::DATE, date);
        }
        Ok(reply)
    }

    /// The emulator's time. Clients judge leases by S3's time, so the machine's time would be wrong.
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
            _ if sts::is_for(request.method(), request.uri(), request.headers()) => {
                let account = self.engine.look(|engine| engine.settings.account_id.clone());
                let (operation, reply) =
                    sts::answer(&account, self.admission.keys.as_deref(), self.clock.now(), request).await;
                operation.into_iter().for_each(|operation| self.log.add(operation));
                Ok(reply)
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
        let reply = match self.call_codepipeline(target, &body).await {
            Ok(reply) => reply,
            Err(error) => {
                return failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", &error.to_string());
            }
        };
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = json_reply(status, reply.body);
        if let Some(subject) = subject {
            reply.extensions_mut().insert(subject);
        }
        reply
    }

    /// Answers a call of CodePipeline, once its changes are saved and its effects are done. Returns an error if a change can't be saved.
    pub(crate) async fn call_codepipeline(&self, target: &str, body: &[u8]) -> Result<api::Reply, NotKept> {
        let ((reply, follows), pending) = self.engine.act(|engine| {
            let reply = api::answer(engine, self.clock.now(), target, body);
            (reply, engine.has_effects())
        });
        let (done, is_done) = oneshot::channel();
        // Notify the driver before any wait, because the client may disconnect. The driver ends only when the port is
        // closed or a change can't be saved.
        let _ = self.changed.send(done);
        pending.kept().await?;
        if follows {
            // Finish the effects before responding: a client that created a pipeline may use its bucket at once.
            let _ = is_done.await;
        }
        Ok(reply)
    }
}

/// Reads a request's body, or returns the error response.
async fn read(body: Body) -> Result<Bytes, Response<Body>> {
    let read = Limited::new(body, MAX_BODY).collect().await;
    read.map(Collected::to_bytes).map_err(|error| {
        let message = format!("could not read the request: {error}; the limit is {MAX_BODY} bytes");
        failure(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", &message)
    })
}
