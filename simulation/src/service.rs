//! The services of the workers, called in process: CodePipeline (the emulator's own engine), S3 and Secrets Manager.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::network::Request;
use crate::trace::MARKER;
use crate::world::World;
use crate::{codepipeline, load, lock, s3};

const CODEPIPELINE: &str = "CodePipeline_20150709.";
const SECRETS: &str = "secretsmanager.";

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Whether half of the body is lost.
    pub(crate) cut: bool,
    /// The response's name in the trace: an error's code, or nothing.
    code: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), cut: false, code: String::new() }
    }

    pub(crate) fn json_error(status: u16, code: &str) -> Self {
        let body = json!({"__type": code, "message": "no"}).to_string();
        Self { code: code.to_owned(), ..Self::new(status, body) }
    }

    pub(crate) fn s3_error(status: u16, code: &str) -> Self {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
        Self { code: code.to_owned(), ..Self::new(status, body) }
    }

    /// Sets the response's name in the trace.
    pub(crate) fn telling(self, code: impl Into<String>) -> Self {
        Self { code: code.into(), ..self }
    }

    /// Loses half of the body.
    pub(crate) fn cut_short(self) -> Self {
        Self { cut: true, ..self }
    }

    pub(crate) fn told(&self) -> String {
        let cut = if self.cut { " cut short" } else { "" };
        format!("{} {}{cut}", self.status, self.code)
    }
}

impl Request {
    fn target(&self) -> &str {
        self.headers.get("x-amz-target").map_or("", String::as_str)
    }

    /// Whether the request goes to S3.
    pub(crate) fn is_object(&self) -> bool {
        self.target().is_empty()
    }

    /// Whether the request is about one job, and not about finding jobs.
    pub(crate) fn is_about_a_job(&self) -> bool {
        !self.what.starts_with("Poll") && !self.what.contains("list-type")
    }

    /// The job of the request, from the name of its entry in the ledger or from its id.
    pub(crate) fn job(&self) -> Option<&str> {
        let (operation, about) = self.what.split_once(' ')?;
        if !self.is_object() {
            return Some(about).filter(|_| operation.contains("Job"));
        }
        let (path, _) = about.split_once('?').unwrap_or((about, ""));
        path.strip_prefix("/ledger/jobs/")?.rsplit('/').next()
    }

    /// Whether S3 may answer 409.
    pub(crate) fn is_conditional_write(&self) -> bool {
        let condition = self.headers.contains_key("if-match") || self.headers.contains_key("if-none-match");
        condition && self.method != "GET"
    }
}

/// The operation and its subject, for the trace.
pub(crate) fn describe(request: &Request) -> String {
    if request.is_object() {
        return format!("{} {}", request.method, request.path);
    }
    let target = request.target();
    let operation = target.strip_prefix(CODEPIPELINE).or_else(|| target.strip_prefix(SECRETS)).unwrap_or(target);
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let about = ["/jobId", "/actionTypeId/provider", "/SecretId"].iter().find_map(|at| body.pointer(at)?.as_str());
    format!("{operation} {}", about.unwrap_or_default())
}

/// Lets a request take effect.
pub(crate) fn answer(world: &Arc<World>, request: &Request) -> Reply {
    lock(&world.witness).figures.requests += 1;
    if let Some(operation) = request.target().strip_prefix(CODEPIPELINE) {
        if load::is_throttled(world, operation) {
            return Reply::json_error(400, "ThrottlingException");
        }
        return codepipeline::answer(world, request, operation);
    }
    if request.target() == "secretsmanager.GetSecretValue" {
        let name = serde_json::from_slice::<Value>(&request.body).unwrap_or_default()["SecretId"].clone();
        let body = json!({"ARN": "arn", "Name": name, "SecretString": client_token()});
        return Reply::new(200, body.to_string());
    }
    s3::answer(world, request)
}

/// The token of the only client of third-party jobs.
pub(crate) fn client_token() -> String {
    format!("{MARKER}-client")
}
