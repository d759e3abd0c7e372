//! The bodies of requests to the service.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::clock::rfc3339;
use crate::actions::{Link, Turn};
use crate::job::{Artifact, Failure};

/// Full stops separate the message's id in the signed text, so the id must not contain one. A third-party job's id may have any
/// character.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// A request's body and its id, which are the same for every try. All of it is secret: it holds the action's configuration and links
/// to its artifacts.
pub(super) struct Message {
    /// What the message is about, such as `job.started`. The only part that may be logged.
    pub(super) message_type: &'static str,
    pub(super) id: String,
    pub(super) body: String,
    /// The links in the body. The service may repeat them, and only the service may read them.
    pub(super) links: Vec<SecretString>,
}

/// The type of a message about a job.
#[derive(Clone, Copy)]
pub(super) enum MessageType {
    Started,
    Continued,
}

impl Message {
    /// The message that hands the job to the service, with fresh links.
    pub(super) async fn of_job(message_type: MessageType, turn: &Turn, seconds: i64) -> Result<Self, Failure> {
        let job = &turn.job;
        let (message_type, id) = match message_type {
            MessageType::Started => ("job.started", message_id("start", &job.id)),
            MessageType::Continued => ("job.continued", message_id("continue", &job.id)),
        };
        let mut links = Vec::with_capacity(job.inputs.len() + job.outputs.len());
        let mut inputs = Vec::with_capacity(job.inputs.len());
        for artifact in &job.inputs {
            let link = turn.links.to_read(artifact).await?;
            let mut input = described(artifact, &link);
            input["revision"] = artifact.revision.as_deref().into();
            inputs.push(input);
            links.push(link.url);
        }
        let mut outputs = Vec::with_capacity(job.outputs.len());
        for artifact in &job.outputs {
            let link = turn.links.to_write(artifact).await?;
            outputs.push(described(artifact, &link));
            links.push(link.url);
        }
        let mut data = turn.describe();
        data.insert("executionId".to_owned(), turn.execution_id().into());
        data.insert("jobId".to_owned(), job.id.as_str().into());
        data.insert("inputs".to_owned(), inputs.into());
        data.insert("outputs".to_owned(), outputs.into());
        Ok(Self { message_type, id, body: body(message_type, seconds, &data.into()), links })
    }

    /// The message that the work is abandoned: no job waits for it any more.
    pub(super) fn abandoned(execution_id: &str, seconds: i64) -> Self {
        let message_type = "job.abandoned";
        let body = body(message_type, seconds, &json!({ "executionId": execution_id }));
        Self { message_type, id: message_id("abandon", execution_id), body, links: Vec::new() }
    }
}

fn message_id(kind: &str, id: &str) -> String {
    format!("{kind}_{}", utf8_percent_encode(id, PLAIN))
}

fn body(message_type: &str, seconds: i64, data: &Value) -> String {
    json!({ "type": message_type, "timestamp": rfc3339(seconds), "data": data }).to_string()
}

fn described(artifact: &Artifact, link: &Link) -> Value {
    let headers: Map<String, Value> =
        link.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "name": artifact.name,
        "method": link.method,
        "url": link.url.expose_secret(),
        "headers": headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_fits_into_a_header_and_a_signature() {
        assert_eq!(message_id("start", "11111111-abcd"), "start_11111111-abcd");
        assert_eq!(message_id("start", "a.b\r\nc é"), "start_a%2Eb%0D%0Ac%20%C3%A9");
        assert_ne!(message_id("start", "a.b"), message_id("start", "a%2Eb"));
    }
}
