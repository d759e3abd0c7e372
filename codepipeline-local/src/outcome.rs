//! The log line of `serve -v` for each request: its operation, its object or job, and its outcome. The line has no header, no query
//! and no body. Of CodePipeline's inputs it has only names and ids.

use http::Response;
use http::request::Parts;
use s3s::{Body, HttpError};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Level;

use crate::faults::Call;
use crate::s3;
use crate::services::Service;

/// How many characters of a name or key are shown.
const LONGEST: usize = 300;

/// A request whose outcome will be logged.
pub(crate) struct Outcome {
    operation: String,
    subject: String,
    began: Instant,
    is_logged: bool,
}

/// The pipeline, job or action type of a request to CodePipeline. The response carries it as an extension.
#[derive(Clone)]
pub(crate) struct Subject(String);

impl Outcome {
    /// Returns `None` if such lines are not logged.
    pub(crate) fn of(service: &Service, call: &Call, parts: &Parts) -> Option<Self> {
        if !tracing::enabled!(Level::DEBUG) {
            return None;
        }
        let operation = match (call.operation(), service) {
            (Some(operation), _) => operation.to_owned(),
            (None, Service::CodePipeline(target) | Service::Other { target: Some(target), .. }) => shown(target),
            (None, Service::SecretsManager(operation)) => format!("secretsmanager.{}", shown(operation)),
            (None, service) => format!("{} {}", shown(service.name()), parts.method),
        };
        let subject = match service {
            Service::S3 => shown(&s3::place(parts)),
            _ => String::new(),
        };
        Some(Self { operation, subject, began: Instant::now(), is_logged: false })
    }

    /// Logs the outcome. The response's body may still be in transit.
    pub(crate) fn ended(mut self, reply: &Result<Response<Body>, HttpError>) {
        let outcome = match reply {
            Ok(reply) => {
                if let Some(Subject(subject)) = reply.extensions().get() {
                    self.subject.clone_from(subject);
                }
                let status = reply.status().as_u16();
                code(reply).map_or(status.to_string(), |code| format!("{status} {code}"))
            }
            Err(_) => "connection closed".to_owned(),
        };
        self.log(&outcome);
    }

    fn log(&mut self, outcome: &str) {
        self.is_logged = true;
        let Self { operation, subject, began, .. } = self;
        let space = if subject.is_empty() { "" } else { " " };
        let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
        tracing::debug!("{operation}{space}{subject}: {outcome}, {milliseconds:.1} ms");
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if !self.is_logged {
            self.log("the client left before the answer");
        }
    }
}

impl Subject {
    /// Finds the subject in an input of CodePipeline. Returns `None` if it is not logged.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        if !tracing::enabled!(Level::DEBUG) {
            return None;
        }
        let input: Value = serde_json::from_slice(body).ok()?;
        let text = |pointer: &str| input.pointer(pointer).and_then(Value::as_str);
        if let Some(job) = text("/jobId") {
            return Some(Self(format!("job {}", shown(job))));
        }
        for pointer in ["/pipelineName", "/name", "/pipeline/name", "/resourceArn"] {
            if let Some(name) = text(pointer) {
                return Some(Self(shown(name)));
            }
        }
        for place in ["/actionTypeId", ""] {
            let parts = ["owner", "category", "provider", "version"].map(|part| text(&format!("{place}/{part}")));
            if parts[2].is_some() {
                let parts: Vec<_> = parts.into_iter().flatten().map(shown).collect();
                return Some(Self(parts.join("/")));
            }
        }
        None
    }
}

/// The error code of a response, if it is an error.
fn code(reply: &Response<Body>) -> Option<String> {
    if reply.status().is_success() {
        return None;
    }
    let body = reply.body().bytes()?;
    let code = match serde_json::from_slice::<Value>(&body) {
        Ok(error) => error.get("__type")?.as_str()?.to_owned(),
        Err(_) => {
            let text = std::str::from_utf8(&body).ok()?;
            text.split_once("<Code>")?.1.split_once("</Code>")?.0.to_owned()
        }
    };
    Some(shown(&code))
}

/// The text in one line, cut to [`LONGEST`].
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_found_in_json_and_xml() {
        for (status, body, code_of) in [
            (400, r#"{"__type": "InvalidNonceException", "message": "no"}"#, Some("InvalidNonceException")),
            (404, "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", Some("NoSuchKey")),
            (404, "", None),
            (200, r#"{"__type": "X"}"#, None),
        ] {
            let reply = Response::builder().status(status).body(Body::from(body.to_owned())).unwrap();
            assert_eq!(code(&reply).as_deref(), code_of, "{body}");
        }
    }

    #[test]
    fn shown_text_stays_in_one_line() {
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
