//! Lambda Invoke jobs: the `CodePipeline.job` event (Lambda Developer Guide, "Using AWS Lambda with AWS CodePipeline").
//!
//! CodePipeline sends the job itself in the event, so the worker neither polls nor acknowledges. Details and results go
//! through the operations of custom jobs. The event holds credentials, so the worker reads it by hand: a derived
//! parser's error may quote its input.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Claim, Details, JobKey, Operations};
use crate::job::{ActionTypeId, Artifact, Configuration, Credentials, Job, PipelineContext, USER_PARAMETERS};

/// Credentials that expire within this time count as expired. Lambda may have retried the event for hours.
const EXPIRING: Duration = Duration::from_secs(2 * 60);

/// How long fresh credentials live (a comment in AWS's Jenkins plugin; undocumented). If they have less left, the event
/// came late. The worker then fetches the details again, so that links to artifacts live for at least 14 minutes.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// The age of details with expired credentials. Details are used for at most 14 minutes.
const LONG_AGO: Duration = Duration::from_secs(60 * 60);

/// A job out of an event. The worker must report on it.
pub struct InvokedJob {
    /// The job and its credentials, out of the event.
    pub details: Details,
    /// The right and the duty to report.
    pub claim: Claim,
    /// When its credentials were issued, as far as the event says. Long ago if they have expired or soon will.
    pub received_at: Instant,
}

/// The content of a `CodePipeline.job` event.
pub enum Invoked {
    /// A job to run.
    Job(Box<InvokedJob>),
    /// A job whose event holds only its id. It can't run, and must be reported because its pipeline waits for it.
    WithoutData(Claim),
}

/// An event without a job id, so there is no job to report on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CodePipeline.job event has no {0}, so there is no job to run or to report on")]
pub struct InvalidInvokeJob(&'static str);

impl InvokedJob {
    /// The action type of every such job.
    pub fn action_type() -> ActionTypeId {
        let [category, owner, provider, version] = ["Invoke", "AWS", "Lambda", "1"].map(str::to_owned);
        ActionTypeId { category, owner, provider, version }
    }

    /// Reads the event that holds the member `CodePipeline.job`. The configuration comes from the action's
    /// `UserParameters`: the whole text under that key, and each member of a JSON object under its own key. A string
    /// member stays unchanged, any other becomes JSON. `now` is the time of day.
    ///
    /// # Errors
    /// Returns an error if the event has no job id. Any other missing member counts as not sent.
    pub fn from_event(event: &Value, now: SystemTime) -> Result<Invoked, InvalidInvokeJob> {
        let job = event.get("CodePipeline.job").ok_or(InvalidInvokeJob("member CodePipeline.job"))?;
        let id = job.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or(InvalidInvokeJob("job id"))?;
        let claim = Claim { key: JobKey { id: id.to_owned(), operations: Operations::Invoked } };
        let Some(data) = job.get("data").filter(|data| data.is_object()) else {
            return Ok(Invoked::WithoutData(claim));
        };
        let parameters = data.pointer("/actionConfiguration/configuration/UserParameters").and_then(Value::as_str);
        let job = Job {
            id: id.to_owned(),
            account_id: text(job.get("accountId")),
            action_type: Self::action_type(),
            configuration: parameters.map(configuration).unwrap_or_default(),
            pipeline: PipelineContext::default(),
            inputs: artifacts(data.get("inputArtifacts")),
            outputs: artifacts(data.get("outputArtifacts")),
            encryption_key: text(data.pointer("/encryptionKey/id")),
            continuation_token: text(data.get("continuationToken")).map(Into::into),
        };
        let age = data.pointer("/artifactCredentials/expirationTime").map_or(Duration::ZERO, |at| age(at, now));
        let credentials = data.get("artifactCredentials").and_then(credentials);
        let read_at = Instant::now();
        let received_at = read_at.checked_sub(age).unwrap_or(read_at);
        let invoked = Self { details: Details { job, credentials }, claim, received_at };
        Ok(Invoked::Job(Box::new(invoked)))
    }
}

/// Details from `GetJobDetails` in the form of those from the event. A late event must not change the configuration or
/// execution id that an action sees.
pub(super) fn as_invoked(mut details: Details) -> Details {
    let job = &mut details.job;
    job.configuration = job.configuration.get(USER_PARAMETERS).map(configuration).unwrap_or_default();
    job.pipeline = PipelineContext::default();
    details
}

/// The age of credentials that expire at `expiration`: milliseconds since the epoch, also with a fraction, as observed
/// events have them. Anything else counts as fresh.
fn age(expiration: &Value, now: SystemTime) -> Duration {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(at) = expiration.as_f64() else { return Duration::ZERO };
    // A number that is not a time lies far in the past or in the future.
    let left = Duration::try_from_secs_f64(at / 1000.0 - now.as_secs_f64());
    match left {
        Ok(left) if left <= EXPIRING => LONG_AGO,
        Ok(left) => LIFE.saturating_sub(left),
        Err(_) if at > 0.0 && at / 1000.0 > now.as_secs_f64() => Duration::ZERO,
        Err(_) => LONG_AGO,
    }
}

/// JSON may begin with a byte order mark.
fn configuration(parameters: &str) -> Configuration {
    let members = match serde_json::from_str(parameters.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let own = members.into_iter().filter(|(key, _)| key != USER_PARAMETERS).map(|(key, value)| match value {
        Value::String(text) => (key, text),
        other => (key, other.to_string()),
    });
    own.chain([(USER_PARAMETERS.to_owned(), parameters.to_owned())]).collect()
}

/// An empty text counts as missing.
fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An artifact without a name or an S3 location stays empty and fails its job when it is staged, as with polled jobs.
fn artifacts(value: Option<&Value>) -> Vec<Artifact> {
    let one = |artifact: &Value| {
        let place =
            |member: &str| text(artifact.pointer(&format!("/location/s3Location/{member}"))).unwrap_or_default();
        Artifact {
            name: text(artifact.get("name")).unwrap_or_default(),
            revision: text(artifact.get("revision")),
            bucket: place("bucketName"),
            key: place("objectKey"),
        }
    };
    value.and_then(Value::as_array).into_iter().flatten().map(one).collect()
}

fn credentials(value: &Value) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: text(value.get("accessKeyId"))?,
        secret_access_key: text(value.get("secretAccessKey"))?.into(),
        session_token: text(value.get("sessionToken"))?.into(),
    })
}

#[cfg(test)]
mod tests;
