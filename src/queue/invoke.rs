//! Lambda Invoke jobs: the `CodePipeline.job` event (Lambda Developer Guide, "Using AWS Lambda with AWS CodePipeline").
//!
//! CodePipeline sends the job itself in the event, so the worker neither polls nor acknowledges. Details and results go
//! through the operations of custom jobs. The event holds credentials, so the worker reads it by hand: a derived
//! parser's error may quote its input.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Claim, Details, JobKey, Kind};
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
    fn example_event_is_a_whole_job() {
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
    fn optional_members_may_be_absent_or_null() {
        let least = json!({"CodePipeline.job": {"id": "j", "data": {
            "actionConfiguration": {"configuration": {"FunctionName": "f"}}, "inputArtifacts": null,
            "continuationToken": null, "encryptionKey": null, "artifactCredentials": null}}});
        let InvokedJob { details: Details { job, credentials }, .. } = parsed(&least);
        assert_eq!(job.configuration.keys().count(), 0);
        assert!(job.inputs.is_empty() && job.outputs.is_empty() && credentials.is_none());
        assert!(job.encryption_key.is_none() && job.continuation_token.is_none() && job.account_id.is_none());
    }

    #[test]
    fn continuation_token_is_read() {
        let mut event = example();
        event["CodePipeline.job"]["data"]["continuationToken"] = json!("token");
        let job = parsed(&event).details.job;
        assert_eq!(job.continuation_token.unwrap().expose_secret(), "token");
    }

    #[test]
    fn expired_credentials_count_as_old() {
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
    fn age_of_credentials_follows_from_their_expiration() {
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
    fn error_for_an_event_names_only_what_is_missing() {
        for (event, missing) in [
            (json!({"SECRET": "SECRET"}), "member CodePipeline.job"),
            (json!({"CodePipeline.job": {"data": {"artifactCredentials": "SECRET"}}}), "job id"),
        ] {
            let said = InvokedJob::from_event(&event, UNIX_EPOCH).err().unwrap().to_string();
            assert!(said.contains(missing) && !said.contains("SECRET"), "{said}");
        }
    }
}
