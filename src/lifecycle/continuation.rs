//! The continuation token that CodePipeline keeps: an envelope around the action's own token.
//!
//! ```text
//! codepipeline-worker/1 Custom/Test/LinkCheck/1 1768469402 47f821c5-a902-4c2d-ae61-f878d31aa8f4 <the action's token>
//! ```
//!
//! The envelope has five fields, separated by spaces:
//! 1. the format and its version
//! 2. the action type
//! 3. the start of the first job of this run, in epoch seconds
//! 4. the action execution
//! 5. the action's token
//!
//! Only the last field may hold a space: a type's parts are `[0-9A-Za-z_-]`, and the execution id is percent-encoded. The
//! envelope is text because the action's token is often JSON. JSON around it would escape it again, and its limit would depend
//! on its characters.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::ExposeSecret;

use crate::job::limits::CONTINUATION_TOKEN;
use crate::job::{ActionTypeId, Failure, FailureCode, FailureKind, Job};
use crate::report::INVALID_TOKEN_LENGTH;

const TOKEN_GARBLED: FailureCode = FailureCode::new("TokenGarbled");
const TOKEN_OF_ANOTHER_WORKER: FailureCode = FailureCode::new("TokenOfAnotherWorker");
const TOKEN_OF_ANOTHER_VERSION: FailureCode = FailureCode::new("TokenOfAnotherVersion");
const TOKEN_OF_ANOTHER_ACTION_TYPE: FailureCode = FailureCode::new("TokenOfAnotherActionType");

const NAME: &str = "codepipeline-worker/";
const VERSION: &str = "1";

const EXECUTION_ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// One run of an action: all jobs of one action execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActionRun {
    /// The action execution's id. A Lambda Invoke job names none, so the first job's id stands for it.
    pub(super) execution_id: String,
    /// When the first job began, to the second.
    pub(super) began: SystemTime,
}

/// The id of the run that the job belongs to: the same for all its jobs. The first job of a Lambda Invoke action has only its own
/// id, which stands for the run.
pub fn execution_id(job: &Job) -> String {
    named_execution_id(job).unwrap_or_else(|| job.id.clone())
}

/// The action execution that the job belongs to, if CodePipeline or the job's token names it.
pub(super) fn named_execution_id(job: &Job) -> Option<String> {
    let token = job.continuation_token.as_ref().map(ExposeSecret::expose_secret);
    match token.and_then(|token| ActionRun::open(token, &job.action_type).ok()) {
        Some((run, _)) => Some(run.execution_id),
        None => job.pipeline.action_execution_id.clone(),
    }
}

impl ActionRun {
    /// A run that begins with this job.
    pub(super) fn begin(execution_id: String, now: SystemTime) -> Self {
        Self { execution_id, began: now }
    }

    /// How long ago the first job began. Zero if the clock was set back.
    pub(super) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.began).unwrap_or_default()
    }

    /// Wraps the action's token in the envelope.
    ///
    /// # Errors
    /// Returns an error if the action's token is empty or too long.
    pub(super) fn seal(&self, action_type: &ActionTypeId, token: &str) -> Result<String, Failure> {
        let began = self.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let execution_id = utf8_percent_encode(&self.execution_id, EXECUTION_ID);
        let mut sealed = format!("{NAME}{VERSION} {action_type} {began} {execution_id} ");
        let room = CONTINUATION_TOKEN.saturating_sub(sealed.chars().count());
        let length = token.chars().count();
        if length == 0 || length > room {
            let message = format!(
                "the action's continuation token has {length} characters; it must have 1 to {room}: CodePipeline takes \
                 {CONTINUATION_TOKEN}, and the worker's envelope takes the rest"
            );
            return Err(Failure::new(FailureKind::JobFailed, INVALID_TOKEN_LENGTH, message));
        }
        sealed.push_str(token);
        Ok(sealed)
    }

    /// Reads the run and the action's token from the envelope.
    ///
    /// # Errors
    /// Returns an error if this version of the worker did not write the token for this action type. The error repeats nothing of
    /// the token.
    pub(super) fn open<'a>(sealed: &'a str, action_type: &ActionTypeId) -> Result<(Self, &'a str), Failure> {
        let refused = |code, what: &str| {
            let message = format!("the job's continuation token {what}");
            Failure::new(FailureKind::ConfigurationError, code, message)
        };
        let garbled = || refused(TOKEN_GARBLED, "is damaged: no worker wrote it like this");
        let Some(rest) = sealed.strip_prefix(NAME) else {
            return Err(refused(
                TOKEN_OF_ANOTHER_WORKER,
                "is not from this worker: another program polls the same action type",
            ));
        };
        let mut fields = rest.splitn(5, ' ');
        let version = fields.next().ok_or_else(garbled)?;
        if version != VERSION {
            return Err(refused(
                TOKEN_OF_ANOTHER_VERSION,
                "is from another version of this worker: it serves the same action type, or was replaced during the run; run \
                 the action again",
            ));
        }
        if fields.next() != Some(action_type.to_string().as_str()) {
            return Err(refused(TOKEN_OF_ANOTHER_ACTION_TYPE, "belongs to another action type"));
        }
        let seconds = fields.next().and_then(|field| field.parse().ok()).map(Duration::from_secs);
        let began = seconds.and_then(|seconds| UNIX_EPOCH.checked_add(seconds)).ok_or_else(garbled)?;
        let execution_id = fields.next().and_then(|field| percent_decode_str(field).decode_utf8().ok());
        let execution_id = execution_id.filter(|id| !id.is_empty()).map(Cow::into_owned).ok_or_else(garbled)?;
        let token = fields.next().filter(|token| !token.is_empty()).ok_or_else(garbled)?;
        Ok((Self { execution_id, began }, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Configuration, PipelineContext};

    fn link_check() -> ActionTypeId {
        let [category, owner, provider, version] = ["Test", "Custom", "LinkCheck", "1"].map(str::to_owned);
        ActionTypeId { category, owner, provider, version }
    }

    fn run(execution_id: &str) -> ActionRun {
        ActionRun::begin(execution_id.to_owned(), UNIX_EPOCH + Duration::from_secs(1_768_469_402))
    }

    #[test]
    fn a_token_names_the_execution_of_its_job() {
        let mut job = Job {
            id: "second".into(),
            account_id: None,
            action_type: link_check(),
            configuration: Configuration::default(),
            pipeline: PipelineContext { action_execution_id: Some("this".into()), ..PipelineContext::default() },
            inputs: Vec::new(),
            outputs: Vec::new(),
            encryption_key: None,
            continuation_token: None,
        };
        assert_eq!(execution_id(&job), "this");
        job.continuation_token = Some(run("first").seal(&link_check(), "build 17").ok().unwrap().into());
        assert_eq!(execution_id(&job), "first");
        job.continuation_token = Some("garbled".to_owned().into());
        assert_eq!(execution_id(&job), "this");
        job.pipeline.action_execution_id = None;
        assert_eq!((named_execution_id(&job), execution_id(&job).as_str()), (None, "second"));
    }

    #[test]
    fn a_sealed_token_opens_again() {
        for (execution_id, token) in [
            ("47f821c5-a902-4c2d-ae61-f878d31aa8f4", r#"{"build": "17", "note": "two words"}"#),
            ("an id of % any / character ü", " "),
        ] {
            let sealed = run(execution_id).seal(&link_check(), token).ok().unwrap();
            let (opened, inner) = ActionRun::open(&sealed, &link_check()).ok().unwrap();
            assert_eq!((opened, inner), (run(execution_id), token));
        }
    }

    #[test]
    fn the_format_is_the_one_that_earlier_deployments_wrote() {
        let sealed = run("47f821c5-a902").seal(&link_check(), "arn:aws:states").ok().unwrap();
        assert_eq!(sealed, "codepipeline-worker/1 Custom/Test/LinkCheck/1 1768469402 47f821c5-a902 arn:aws:states");
    }

    #[test]
    fn a_token_must_leave_room_for_the_envelope() {
        let room = 2048 - "codepipeline-worker/1 Custom/Test/LinkCheck/1 1768469402 e ".len();
        let sealed = run("e").seal(&link_check(), &"ü".repeat(room)).ok().unwrap();
        assert_eq!(sealed.chars().count(), 2048);
        for length in [0, room + 1] {
            let failure = run("e").seal(&link_check(), &"ü".repeat(length)).err().unwrap();
            assert_eq!(failure.code, INVALID_TOKEN_LENGTH);
            assert!(failure.message.contains(&format!("1 to {room}")), "{}", failure.message);
        }
    }

    #[test]
    fn foreign_and_garbled_tokens_are_refused_and_not_shown() {
        let other_type = "codepipeline-worker/1 Custom/Test/Other/1 1768469402 e TOKEN";
        for (token, code) in [
            (r#"{"build": "TOKEN"}"#, TOKEN_OF_ANOTHER_WORKER),
            ("codepipeline-worker/2 Custom/Test/LinkCheck/1 1 e TOKEN", TOKEN_OF_ANOTHER_VERSION),
            (other_type, TOKEN_OF_ANOTHER_ACTION_TYPE),
            ("codepipeline-worker/1", TOKEN_OF_ANOTHER_ACTION_TYPE),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 TOKEN e t", TOKEN_GARBLED),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 99999999999999999999 e TOKEN", TOKEN_GARBLED),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 18446744073709551615 e TOKEN", TOKEN_GARBLED),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 1 %FF TOKEN", TOKEN_GARBLED),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 1 e ", TOKEN_GARBLED),
            ("codepipeline-worker/1 Custom/Test/LinkCheck/1 1 e", TOKEN_GARBLED),
        ] {
            let failure = ActionRun::open(token, &link_check()).err().unwrap();
            assert_eq!((failure.kind, failure.code), (FailureKind::ConfigurationError, code), "{token}");
            assert!(!failure.message.contains("TOKEN"), "{}", failure.message);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_age() {
        let began = run("e").began;
        assert_eq!(run("e").age(began - Duration::from_secs(5)), Duration::ZERO);
        assert_eq!(run("e").age(began + Duration::from_secs(5)), Duration::from_secs(5));
    }
}
