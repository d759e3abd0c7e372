//! The calls of CodePipeline behind the page's buttons.

use http::request::Parts;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Limited};
use s3s::Body;
use serde_json::Value;

use super::reply::{json_text, refusal};
use crate::api;
use crate::store::NotKept;

/// The operations that the page may call.
const OPERATIONS: [&str; 6] = [
    "StartPipelineExecution",
    "StopPipelineExecution",
    "RetryStageExecution",
    "PutApprovalResult",
    "EnableStageTransition",
    "DisableStageTransition",
];

/// The longest input. 50 variables of 1,000 characters fit.
const MAX_INPUT: usize = 1024 * 1024;

/// Calls an operation by `call`, which takes the target and the input.
pub(super) async fn answer<C, F>(operation: &str, parts: &Parts, body: Body, call: C) -> Response<Body>
where
    C: FnOnce(String, Vec<u8>) -> F,
    F: Future<Output = Result<api::Reply, NotKept>>,
{
    if !OPERATIONS.contains(&operation) {
        return refusal(StatusCode::NOT_FOUND, &format!("The page may call only {}", OPERATIONS.join(", ")));
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.and_then(|kind| kind.split(';').next()).is_some_and(|kind| kind.trim() == "application/json");
    if !is_json {
        return refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The request needs the header Content-Type: application/json",
        );
    }
    let input = match Limited::new(body, MAX_INPUT).collect().await.map(Collected::to_bytes) {
        Ok(input) => input,
        Err(error) => {
            let message = format!("Could not read the request: {error}; the limit is {MAX_INPUT} bytes");
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
    };
    match call(format!("CodePipeline_20150709.{operation}"), input.into()).await {
        Ok(reply) if reply.status == 200 => {
            let body = if reply.body.is_empty() { b"{}".to_vec() } else { reply.body };
            json_text(StatusCode::OK, body.into())
        }
        Ok(reply) => {
            let answered: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            refusal(StatusCode::BAD_REQUEST, answered["message"].as_str().unwrap_or("CodePipeline refused the call"))
        }
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
