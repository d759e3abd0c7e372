//! Calls of Step Functions' API, as the AWS JSON 1.0 protocol writes them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use s3s::Body;
use serde_json::Value;

use super::super::signing::{Scope, authorization};
use crate::clock::Clock;
use crate::endpoints::Endpoint;

const PROTOCOL: &str = "application/x-amz-json-1.0";
/// How long a call may take.
const TIME: Duration = Duration::from_secs(30);
/// The most bytes of an answer. An execution's input and output have at most 256 KiB each, and JSON may escape each byte with six.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Step Functions at an endpoint.
pub(super) struct Api<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) clock: &'a Clock,
    pub(super) region: &'a str,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The endpoint does not answer, or answers something else than JSON.
    #[error("Step Functions does not answer: {0}")]
    Unanswered(String),
    /// The service refuses the call.
    #[error("{operation} failed with {code}: {message}")]
    Refused {
        /// The operation's name.
        operation: &'static str,
        /// The exception's name.
        code: String,
        /// The service's message.
        message: String,
    },
}

impl Api<'_> {
    /// Makes a call and returns its result.
    pub(super) async fn call(&self, operation: &'static str, input: &Value) -> Result<Value, CallError> {
        let answered = tokio::time::timeout(TIME, self.exchange(operation, input)).await;
        let (status, body) = answered
            .map_err(|_| CallError::Unanswered(format!("{operation} took more than {} s", TIME.as_secs())))?
            .map_err(CallError::Unanswered)?;
        let output: Result<Value, _> = serde_json::from_slice(&body);
        if status.is_success() {
            return output.map_err(|_| CallError::Unanswered(format!("{operation} returned no JSON")));
        }
        let output = output.unwrap_or_default();
        let text = |key: &str| output[key].as_str().map(|text| text.chars().take(1000).collect::<String>());
        if status.is_server_error() {
            return Err(CallError::Unanswered(format!("{operation} returned the status {status}")));
        }
        // The name may come after a namespace and a `#` (Smithy, "AWS JSON 1.0 protocol").
        let code = text("__type").and_then(|code| code.rsplit('#').next().map(str::to_owned));
        Err(CallError::Refused {
            operation,
            code: code.unwrap_or_else(|| status.to_string()),
            message: text("message").or_else(|| text("Message")).unwrap_or_default(),
        })
    }

    async fn exchange(&self, operation: &str, input: &Value) -> Result<(StatusCode, Bytes), String> {
        let body = input.to_string();
        let target = format!("AWSStepFunctions.{operation}");
        let (host, path) = (self.endpoint.host(), self.endpoint.path("/"));
        let headers = [("content-type", PROTOCOL), ("host", host), ("x-amz-target", target.as_str())];
        let scope = Scope { now: self.clock.now(), region: self.region, service: "states" };
        let signed = authorization(&scope, &path, &headers, body.as_bytes());
        let mut request =
            Request::post("/").header("x-amz-date", signed.date).header(header::AUTHORIZATION, signed.header);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header(header::CONTENT_LENGTH, body.len()).body(Body::from(Bytes::from(body)));
        let reply = self.endpoint.exchange(request.map_err(|error| error.to_string())?).await?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    }
}
