//! Makes a call go wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::{Body, HttpError, S3Error, S3ErrorCode};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::transfer::{cut_answer, cut_request};
use super::{Call, FaultKind};
use crate::clock::Clock;
use crate::s3::read_to_its_end;
use crate::shell::failure;
use crate::wire::Wire;

/// Why a connection ends without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
#[error("the connection was broken off, as a fault says")]
pub(crate) struct Broken;

impl From<Broken> for HttpError {
    fn from(broken: Broken) -> Self {
        Self::new(Box::new(broken))
    }
}

/// Calls that take effect later, whether or not anyone still waits for them.
#[derive(Default)]
pub(crate) struct Late(Mutex<JoinSet<()>>);

impl Late {
    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, call: impl Future<Output = ()> + Send + 'static) {
        let mut calls = self.lock();
        while calls.try_join_next().is_some() {}
        calls.spawn(call);
    }

    /// Has those that are left take no effect.
    pub(crate) fn abort(&self) {
        self.lock().abort_all();
    }

    /// Has those that are left take no effect, and waits until none can.
    pub(crate) async fn stop(&self) {
        let mut left = std::mem::take(&mut *self.lock());
        left.shutdown().await;
    }
}

/// The caller that a refusal names: the emulator knows no roles, so it is always the same one.
pub(crate) struct Caller {
    pub(crate) account_id: String,
    pub(crate) region: String,
}

impl FaultKind {
    /// Whether the call has no effect, because no service gets it.
    pub(crate) fn prevents_the_call(self) -> bool {
        matches!(self, Self::Throttle | Self::Error | Self::Deny | Self::Reset | Self::Stall)
    }
}

/// Answers the call, or not, as the fault says; `respond` is what would be done without it. Fails if the connection must be
/// given up.
pub(crate) async fn inject<F>(
    kind: FaultKind,
    call: &Call,
    request: Request<Body>,
    respond: impl FnOnce(Request<Body>) -> F + Send + 'static,
    (late, clock, caller): (&Late, &Clock, &Caller),
) -> Result<Response<Body>, HttpError>
where
    F: Future<Output = Result<Response<Body>, HttpError>> + Send + 'static,
{
    let wire = request.extensions().get::<Wire>().cloned().unwrap_or_default();
    match kind {
        FaultKind::Throttle | FaultKind::Error | FaultKind::Deny => {
            let (parts, body) = request.into_parts();
            drop(read_to_its_end(&parts.headers, body));
            refusal(kind, call, caller)
        }
        FaultKind::Reset => {
            wire.reset_at_its_end();
            Err(Broken.into())
        }
        FaultKind::LoseAnswer => {
            let _ = respond(request).await;
            wire.reset_at_its_end();
            Err(Broken.into())
        }
        FaultKind::Stall => {
            let (parts, body) = request.into_parts();
            drop(read_to_its_end(&parts.headers, body));
            std::future::pending().await
        }
        FaultKind::StallAnswer => {
            let _ = respond(request).await;
            std::future::pending().await
        }
        FaultKind::Delay(time) => {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(HttpError::new)?.to_bytes();
            let request = Request::from_parts(parts, Body::from(body));
            let (answered, answer) = oneshot::channel();
            let waiting = passed(clock.clone(), time);
            late.add(async move {
                waiting.await;
                // Whoever called may be gone.
                let _ = answered.send(respond(request).await);
            });
            answer.await.unwrap_or_else(|_| Err(Broken.into()))
        }
        FaultKind::DelayAnswer(time) => {
            let reply = respond(request).await;
            passed(clock.clone(), time).await;
            reply
        }
        FaultKind::Cut(bytes) if call.operation() == Some("GetObject") => {
            let reply = respond(request).await?;
            Ok(reply.map(|body| cut_answer(body, bytes, wire)))
        }
        FaultKind::Cut(bytes) => {
            let was_cut = Arc::new(AtomicBool::new(false));
            let reply = respond(request.map(|body| cut_request(body, bytes, Arc::clone(&was_cut)))).await;
            if was_cut.load(Ordering::Relaxed) {
                wire.reset_at_its_end();
                return Err(Broken.into());
            }
            reply
        }
    }
}

async fn passed(clock: Clock, time: Duration) {
    let then = clock.now().after(time);
    clock.reached(Some(then)).await;
}

/// The answer to a call that is refused whatever it says (CodePipeline API Reference, "Common Errors"; S3 API Reference,
/// "Error responses").
fn refusal(kind: FaultKind, call: &Call, caller: &Caller) -> Result<Response<Body>, HttpError> {
    if call.is_s3() {
        let (code, message) = match kind {
            FaultKind::Throttle => (S3ErrorCode::SlowDown, "Please reduce your request rate."),
            FaultKind::Deny => (S3ErrorCode::AccessDenied, "Access Denied"),
            _ => (S3ErrorCode::InternalError, "We encountered an internal error. Please try again."),
        };
        let error = S3Error::with_message(code, message);
        return error.to_http_response().map_err(|error| HttpError::new(Box::new(error)));
    }
    Ok(match kind {
        FaultKind::Throttle => failure(StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded"),
        FaultKind::Deny => failure(StatusCode::BAD_REQUEST, "AccessDeniedException", &denial(call, caller)),
        _ => {
            let message = "The request processing has failed because of an unknown error, exception or failure.";
            failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message)
        }
    })
}

/// As IAM words it (IAM User Guide, "Troubleshoot access denied error messages").
fn denial(call: &Call, Caller { account_id, region }: &Caller) -> String {
    let service = if call.is_codepipeline() { "codepipeline" } else { "secretsmanager" };
    let action = format!("{service}:{}", call.operation().unwrap_or("*"));
    format!(
        "User: arn:aws:sts::{account_id}:assumed-role/worker/session is not authorized to perform: {action} on resource: \
         arn:aws:{service}:{region}:{account_id}:* because no identity-based policy allows the {action} action"
    )
}
