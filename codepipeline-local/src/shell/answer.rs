//! The way of a request to the service that answers it.

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
use crate::reply::{failure, json_reply};
use crate::services::{self, Service};
use crate::{api, secrets, sts};

/// The longest request to CodePipeline or Secrets Manager. The largest pipeline that the quotas allow is smaller.
const MAX_BODY: usize = 16 * 1024 * 1024;

impl Shared {
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
                inject(kind, call, request, respond, (&self.delayed_calls, &self.clock, &caller)).await?
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
