//! What a job is and how it ends: plain data, without I/O and without any SDK's types.
//!
//! Nothing here derives `Debug`. A job's configuration may hold secrets (`GetJobDetails` "also returns any secret values
//! defined for the action", CodePipeline API reference), so a stray `{:?}` must not compile.

mod failure;
pub mod limits;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use failure::{Failure, FailureCode, FailureKind};

/// Names an action type: what CodePipeline's API calls `ActionTypeId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionTypeId {
    /// `Source`, `Build`, `Deploy`, `Test`, `Invoke`, `Approval` or `Compute`.
    pub category: String,
    /// `Custom`, `ThirdParty` or `AWS`.
    pub owner: String,
    /// At most 35 characters of `[0-9A-Za-z_-]`.
    pub provider: String,
    /// At most 9 characters of `[0-9A-Za-z_-]`.
    pub version: String,
}

impl fmt::Display for ActionTypeId {
    /// `Custom/Test/LinkCheck/1`, the order that the ARN of an action type has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.owner, self.category, self.provider, self.version)
    }
}

/// How a job came, as far as it decides which operations it takes: what a successor must know to report on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Polled for, of a custom type.
    Polled,
    /// Polled for, of a partner's type.
    PolledForClient {
        /// The customer's connection that it belongs to.
        client_id: String,
    },
    /// Came in a `CodePipeline.job` event, as a Lambda Invoke action's jobs do.
    Invoked,
}

/// One job as CodePipeline described it, without the credentials for its artifacts.
pub struct Job {
    /// The job's id; each continuation is a job of its own, with an id of its own.
    pub id: String,
    /// The account of the pipeline: 12 digits. Third-party jobs don't tell it.
    pub account_id: Option<String>,
    /// The type of the action that the job belongs to.
    pub action_type: ActionTypeId,
    /// The action's configuration with `#{namespace.key}` already resolved by CodePipeline.
    pub configuration: Configuration,
    /// Where in which pipeline the job belongs.
    pub pipeline: PipelineContext,
    /// The artifacts to stage in, in the order the pipeline declares them.
    pub inputs: Vec<Artifact>,
    /// The artifacts to stage out, in the order the pipeline declares them.
    pub outputs: Vec<Artifact>,
    /// The KMS key (id, ARN or alias ARN) that outputs must be encrypted with; `None` means the account's `aws/s3` key.
    pub encryption_key: Option<String>,
    /// The token that an earlier job of the same action execution handed back.
    pub continuation_token: Option<SecretString>,
}

/// Where a Lambda Invoke job has the text that all of its configuration is read from.
pub(crate) const USER_PARAMETERS: &str = "UserParameters";

/// An action's configuration: keys are public, values are not.
#[derive(Clone, Default)]
pub struct Configuration(BTreeMap<String, SecretString>);

impl Configuration {
    /// The value of `key`, exposed: the caller answers for where it goes.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(ExposeSecret::expose_secret)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Keys and exposed values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.expose_secret()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Configuration {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), SecretString::from(value.into()))).collect())
    }
}

/// Where in which pipeline a job belongs. Custom jobs have all of it, third-party jobs lack the last two, Lambda Invoke
/// jobs lack everything.
#[derive(Clone, Debug, Default)]
pub struct PipelineContext {
    /// The pipeline's name.
    pub pipeline_name: Option<String>,
    /// The stage's name.
    pub stage_name: Option<String>,
    /// The action's name in its stage.
    pub action_name: Option<String>,
    /// The same for every job of one run of the action, continuations included.
    pub action_execution_id: Option<String>,
    /// The pipeline's ARN.
    pub pipeline_arn: Option<String>,
    /// The run of the pipeline.
    pub pipeline_execution_id: Option<String>,
}

/// An input or output artifact and the S3 object that holds it.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The artifact's name in the pipeline: 1 to 100 characters of `[a-zA-Z0-9_-]`.
    pub name: String,
    /// The source revision that an input came from, where CodePipeline knows one.
    pub revision: Option<String>,
    /// The artifact store's bucket.
    pub bucket: String,
    /// The object's key, chosen by CodePipeline before the job begins.
    pub key: String,
}

/// The temporary credentials that came with a job: good for its own artifacts only, for about 15 minutes.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id; the only part of the three that may be logged.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token, without which S3 refuses the other two.
    pub session_token: SecretString,
}

/// How an action's turn ended well.
pub enum Outcome {
    /// The work is done; the outputs are staged out and the job succeeds.
    Finished(Finished),
    /// The work goes on outside; CodePipeline hands the token to a later job.
    Continue(Continuation),
}

/// What a finished action says of itself.
#[derive(Default)]
pub struct Finished {
    /// One line for people, shown in the console and in the pipeline's history.
    pub summary: Option<String>,
    /// The id of the run in the system that did the work; fills `{ExternalExecutionId}` in the action type's URL.
    pub external_execution_id: Option<String>,
    /// 0 to 100; `None` means 100.
    pub percent_complete: Option<u8>,
    /// The action's output variables: keys of `[A-Za-z0-9@_-]`, at most 122 880 bytes in all.
    pub variables: BTreeMap<String, String>,
    /// The revision that the action acted on.
    pub revision: Option<Revision>,
    /// S3 objects to copy to output artifacts, by the artifact's name: for work done outside, whose results are in S3
    /// already. An output that is not named here is packed from its folder, if the action wants files.
    pub outputs: BTreeMap<String, ObjectPlace>,
}

/// An S3 object that an action's work has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// Work that goes on. The API forbids output variables beside a continuation token, so there are none here.
pub struct Continuation {
    /// What a later job needs to find the work again: 1 to 2048 characters, no secret inside.
    pub token: String,
    /// One line for people.
    pub summary: Option<String>,
    /// As in [`Finished::external_execution_id`].
    pub external_execution_id: Option<String>,
    /// 0 to 100.
    pub percent_complete: Option<u8>,
}

/// The revision that an action acted on: what the API calls `currentRevision`.
#[derive(Serialize, Deserialize)]
pub struct Revision {
    /// 1 to 1500 characters.
    pub revision: String,
    /// 1 to 100 characters.
    pub change_identifier: String,
    /// At most 2048 characters.
    pub summary: Option<String>,
    /// When it was made: seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
}
