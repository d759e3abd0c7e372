//! Lambda Invoke jobs: the `CodePipeline.job` event (Lambda Developer Guide, "Using AWS Lambda with AWS CodePipeline").
//!
//! CodePipeline delivers the job itself: nothing is polled and nothing acknowledged. The job's details and its results go
//! through the operations of custom jobs. The event holds credentials, so it is read by hand: a derived parser's error
//! may quote what it read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Claim, Details, JobKey, Kind};
use crate::job::{ActionTypeId, Artifact, Configuration, Credentials, Job, PipelineContext, USER_PARAMETERS};

/// Credentials that expire within this time count as expired: an event may have been tried for hours before it came.
const EXPIRING: Duration = Duration::from_secs(2 * 60);

/// How long fresh credentials live (a comment in AWS's Jenkins plugin; undocumented). An event whose credentials have less left
/// came late. Then its details are fetched again, so that links to artifacts live for 14 minutes at least.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// The age that details with expired credentials are given, which is beyond the 14 minutes that any may be used for.
const LONG_AGO: Duration = Duration::from_secs(60 * 60);

/// A job that was delivered to this function: it is ours to report on, whatever becomes of it.
pub struct InvokedJob {
    /// What the event says of the job.
    pub details: Details,
    /// The right and the duty to report.
    pub claim: Claim,
    /// When its credentials were issued, as far as the event tells; long ago if they have expired or soon will.
    pub received_at: Instant,
}

/// What a `CodePipeline.job` event brings.
pub enum Invoked {
    /// A job to run.
    Job(Box<InvokedJob>),
    /// A job that can't be run, since the event says nothing but its id, and must be reported: its pipeline waits for it.
    WithoutData(Claim),
}

/// An event that names no job, so that nothing can be reported.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CodePipeline.job event has no {0}, so there is nothing to run and no job to report on")]
pub struct InvalidInvokeJob(&'static str);

impl InvokedJob {
    /// The action type of every such job.
    pub fn action_type() -> ActionTypeId {
        let [category, owner, provider, version] = ["Invoke", "AWS", "Lambda", "1"].map(str::to_owned);
        ActionTypeId { category, owner, provider, version }
    }

    /// Reads the event that holds the member `CodePipeline.job`. The configuration is what the action's `UserParameters`
    /// say: the text itself under that key and, if it is a JSON object, each of its members under its own (a string as it
    /// is, anything else as JSON). `now` is the time of day.
    ///
    /// # Errors
    /// When the event has no job id. Whatever else is missing was not sent.
    pub fn from_event(event: &Value, now: SystemTime) -> Result<Invoked, InvalidInvokeJob> {
        let job = event.get("CodePipeline.job").ok_or(InvalidInvokeJob("member CodePipeline.job"))?;
        let id = job.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or(InvalidInvokeJob("job id"))?;
        let claim = Claim { key: JobKey { id: id.to_owned(), kind: Kind::Invoked } };
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

/// Details that `GetJobDetails` gave for a delivered job, made alike to those of its event: an action must not see another
/// configuration or execution id just because the event came late.
pub(super) fn as_invoked(mut details: Details) -> Details {
    let job = &mut details.job;
    job.configuration = job.configuration.get(USER_PARAMETERS).map(configuration).unwrap_or_default();
    job.pipeline = PipelineContext::default();
    details
}

/// How old credentials are that expire then. `expiration` is in milliseconds since the epoch, whole or not (as events are seen
/// to have it). Anything else says nothing.
fn age(expiration: &Value, now: SystemTime) -> Duration {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(at) = expiration.as_f64() else { return Duration::ZERO };
    // A number that is no time is beyond any life.
    let left = Duration::try_from_secs_f64(at / 1000.0 - now.as_secs_f64());
    match left {
        Ok(left) if left <= EXPIRING => LONG_AGO,
        Ok(left) => LIFE.saturating_sub(left),
        Err(_) if at > 0.0 && at / 1000.0 > now.as_secs_f64() => Duration::ZERO,
        Err(_) => LONG_AGO,
    }
}

/// A byte order mark before the JSON says nothing.
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

/// An empty text is none: a member that was not filled.
fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What lacks a name or an S3 location stays empty and fails its job when it is staged, as with the other kinds of job.
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
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn example() -> Value {
        serde_json::from_str(include_str!("../../events/codepipeline-job.json")).unwrap()
    }

    fn parsed(event: &Value) -> InvokedJob {
        match InvokedJob::from_event(event, UNIX_EPOCH) {
            Ok(Invoked::Job(job)) => *job,
            Ok(Invoked::WithoutData(claim)) => panic!("no data of {}", claim.key().id()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_example_event_is_a_whole_job() {
        let job = parsed(&example());
        assert_eq!(job.claim.key.id, "11111111-abcd-1111-abcd-111111abcdef");
        assert_eq!(job.details.credentials.unwrap().session_token.expose_secret(), "EXAMPLE-SESSION-TOKEN");
        let job = job.details.job;
        assert_eq!(job.action_type.to_string(), "AWS/Invoke/Lambda/1");
        assert_eq!(job.account_id.as_deref(), Some("123456789012"));
        assert_eq!((job.inputs[0].name.as_str(), job.inputs[0].revision.as_deref()), ("Source", None));
        assert_eq!(job.outputs[0].key, "my-pipeline/Report/Zz9yX8w");
        assert_eq!(job.encryption_key.as_deref(), Some("arn:aws:kms:us-east-1:123456789012:key/1234abcd"));
        assert!(job.continuation_token.is_none());
    }

    #[test]
    fn what_may_be_absent_may_be_absent_or_null() {
        let least = json!({"CodePipeline.job": {"id": "j", "data": {
            "actionConfiguration": {"configuration": {"FunctionName": "f"}}, "inputArtifacts": null,
            "continuationToken": null, "encryptionKey": null, "artifactCredentials": null}}});
        let InvokedJob { details: Details { job, credentials }, .. } = parsed(&least);
        assert_eq!(job.configuration.keys().count(), 0);
        assert!(job.inputs.is_empty() && job.outputs.is_empty() && credentials.is_none());
        assert!(job.encryption_key.is_none() && job.continuation_token.is_none() && job.account_id.is_none());
    }

    #[test]
    fn a_continuation_token_is_understood() {
        let mut event = example();
        event["CodePipeline.job"]["data"]["continuationToken"] = json!("token");
        let job = parsed(&event).details.job;
        assert_eq!(job.continuation_token.unwrap().expose_secret(), "token");
    }

    #[test]
    fn credentials_that_have_expired_or_soon_will_are_long_known() {
        let now = UNIX_EPOCH + Duration::from_secs(1_575_493_418);
        for (expiration, is_old) in [
            (json!(1_575_493_000_000_u64), true),
            (json!(1_575_493_538_000.0), true),
            (json!(1_575_493_538_500.0), false),
            (json!(null), false),
            (json!("2019-12-04T21:03:38Z"), false),
        ] {
            let mut event = example();
            event["CodePipeline.job"]["data"]["artifactCredentials"]["expirationTime"] = expiration.clone();
            let Ok(Invoked::Job(job)) = InvokedJob::from_event(&event, now) else { panic!("no job") };
            assert_eq!(job.received_at.elapsed() >= LONG_AGO, is_old, "{expiration}");
        }
    }

    #[test]
    fn credentials_with_less_than_their_whole_life_are_as_old_as_they_are() {
        for (left, age) in [(3600, 0), (900, 0), (840, 60), (300, 600)] {
            let mut event = example();
            event["CodePipeline.job"]["data"]["artifactCredentials"]["expirationTime"] = json!(left * 1000);
            let received_at = parsed(&event).received_at;
            let elapsed = received_at.elapsed().as_secs();
            assert!((age..age + 30).contains(&elapsed), "{left}: {elapsed}");
        }
    }

    #[test]
    fn user_parameters_become_configuration() {
        let configured = |parameters: Value| {
            let mut event = example();
            event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"] = parameters;
            let configuration = parsed(&event).details.job.configuration;
            configuration.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(configured(json!("plain text")), "UserParameters=plain text");
        assert_eq!(configured(json!("[1]")), "UserParameters=[1]");
        assert_eq!(configured(json!("{\"A\": \"not\nJSON\"}")), "UserParameters={\"A\": \"not\nJSON\"}");
        assert_eq!(configured(json!("\u{feff}{\"A\":1}")), "A=1 UserParameters=\u{feff}{\"A\":1}");
        let members = r#"{"A":"x","N":2,"O":{"p":null},"UserParameters":"own"}"#;
        assert_eq!(configured(json!(members)), format!(r#"A=x N=2 O={{"p":null}} UserParameters={members}"#));
    }

    #[test]
    fn an_event_without_a_job_says_what_is_missing_and_nothing_of_what_is_there() {
        for (event, missing) in [
            (json!({"SECRET": "SECRET"}), "member CodePipeline.job"),
            (json!({"CodePipeline.job": {"data": {"artifactCredentials": "SECRET"}}}), "job id"),
        ] {
            let said = InvokedJob::from_event(&event, UNIX_EPOCH).err().unwrap().to_string();
            assert!(said.contains(missing) && !said.contains("SECRET"), "{said}");
        }
    }
}
