//! Injection of faults into calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use s3s::{Body, HttpError};
use tokio::sync::oneshot;

use super::call::Call;
use super::delayed::DelayedCalls;
use super::fault::FaultKind;
use super::refusal::{Caller, refusal};
use super::transfer::{BrokenConnection, cut_request, cut_response};
use crate::clock::Clock;
use crate::s3::read_to_its_end;
use crate::wire::Wire;

/// Handles the call as the fault says; `respond` handles it normally. Returns an error if the connection must be
/// dropped.
pub(crate) async fn inject<F>(
    kind: FaultKind,
    call: &Call,
    request: Request<Body>,
    respond: impl FnOnce(Request<Body>) -> F + Send + 'static,
    (delayed_calls, clock, caller): (&DelayedCalls, &Clock, &Caller),
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
            Err(BrokenConnection.into())
        }
        FaultKind::LoseAnswer => {
            let _ = respond(request).await;
            wire.reset_at_its_end();
            Err(BrokenConnection.into())
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
            delayed_calls.add(async move {
                waiting.await;
                // The client may be gone.
                let _ = answered.send(respond(request).await);
            });
            answer.await.unwrap_or_else(|_| Err(BrokenConnection.into()))
        }
        FaultKind::DelayAnswer(time) => {
            let reply = respond(request).await;
            passed(clock.clone(), time).await;
            reply
        }
        FaultKind::Cut(bytes) if call.operation() == Some("GetObject") => {
            let reply = respond(request).await?;
            Ok(reply.map(|body| cut_response(body, bytes, wire)))
        }
        FaultKind::Cut(bytes) => {
            let was_cut = Arc::new(AtomicBool::new(false));
            let reply = respond(request.map(|body| cut_request(body, bytes, Arc::clone(&was_cut)))).await;
            if was_cut.load(Ordering::Relaxed) {
                wire.reset_at_its_end();
                return Err(BrokenConnection.into());
            }
            reply
        }
    }
}

async fn passed(clock: Clock, time: Duration) {
    let then = clock.now().after(time);
    clock.reached(Some(then)).await;
}
