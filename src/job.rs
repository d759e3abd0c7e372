//! A job and its outcome: plain data, without I/O and without SDK types.
//!
//! A type that may hold a secret does not derive `Debug`, so that a stray `{:?}` does not compile. A job's configuration may:
//! `GetJobDetails` "also returns any secret values defined for the action" (CodePipeline API reference).

mod configuration;
mod failure;
pub mod limits;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub(crate) use configuration::CONFIGURATION_KEY_MISSING;
pub use configuration::Configuration;
pub use failure::{Failure, FailureCode, FailureKind};

/// The name of an action type: the API's `ActionTypeId`.
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
    /// `Custom/Test/LinkCheck/1`, in the order of an action type's ARN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.owner, self.category, self.provider, self.version)
    }
}

/// How a job came to the worker. It decides which API operations the job needs, so an adopting worker must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A poll brought it, for a custom action type.
    Polled,
    /// A poll brought it, for a third-party action type.
    PolledForClient {
        /// The client that the job belongs to.
        client_id: String,
    },
    /// A `CodePipeline.job` event brought it, for a Lambda Invoke action.
    Invoked,
}

/// One job as CodePipeline described it, without the credentials for its artifacts.
pub struct Job {
    /// The job's id; each continuation is a job of its own, with an id of its own.
    pub id: String,
    /// The pipeline's account: 12 digits. Third-party jobs don't have it.
    pub account_id: Option<String>,
    /// The type of the action that the job belongs to.
    pub action_type: ActionTypeId,
    /// The action's configuration. CodePipeline has resolved `#{namespace.key}` in it.
    pub configuration: Configuration,
    /// The job's place in its pipeline.
    pub pipeline: PipelineContext,
    /// The artifacts to stage in, in the order the pipeline declares them.
    pub inputs: Vec<Artifact>,
    /// The artifacts to stage out, in the order the pipeline declares them.
    pub outputs: Vec<Artifact>,
    /// The KMS key (id, ARN or alias ARN) that outputs must be encrypted with; `None` means the account's `aws/s3` key.
    pub encryption_key: Option<String>,
    /// The token that the run's previous job returned.
    pub continuation_token: Option<SecretString>,
}

#[cfg(test)]
impl Job {
    /// A job of a custom action type, with nothing else.
    pub(crate) fn of_tests(category: &str, provider: &str) -> Self {
        let [category, owner, provider, version] = [category, "Custom", provider, "1"].map(str::to_owned);
        Self {
            id: "job".to_owned(),
            account_id: None,
            action_type: ActionTypeId { category, owner, provider, version },
            configuration: Configuration::default(),
            pipeline: PipelineContext::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            encryption_key: None,
            continuation_token: None,
        }
    }
}

/// The key of a Lambda Invoke job's text, which holds its whole configuration.
pub(crate) const USER_PARAMETERS: &str = "UserParameters";

/// A job's place in its pipeline. Custom jobs have all members, third-party jobs lack the last two. A Lambda Invoke job has only
/// the execution id, which the worker fills in.
#[derive(Clone, Debug, Default)]
pub struct PipelineContext {
    /// The pipeline's name.
    pub pipeline_name: Option<String>,
    /// The stage's name.
    pub stage_name: Option<String>,
    /// The action's name in its stage.
    pub action_name: Option<String>,
    /// The action execution: the same for all jobs of a run.
    pub action_execution_id: Option<String>,
    /// The pipeline's ARN.
    pub pipeline_arn: Option<String>,
    /// The pipeline execution.
    pub pipeline_execution_id: Option<String>,
}

/// An input or output artifact and the S3 object that holds it.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The artifact's name in the pipeline: 1 to 100 characters of `[a-zA-Z0-9_-]`.
    pub name: String,
    /// The source revision of an input, if CodePipeline knows one.
    pub revision: Option<String>,
    /// The artifact store's bucket.
    pub bucket: String,
    /// The object's key, which CodePipeline chooses before the job.
    pub key: String,
}

/// The temporary credentials of a job. They are valid for its own artifacts only, for about 15 minutes.
#[derive(Clone)]
pub struct Credentials {
    /// The access key id; the only part of the three that may be logged.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token. S3 refuses the other two without it.
    pub session_token: SecretString,
}

/// The outcome of a turn that did not fail.
pub enum Outcome {
    /// The work is done: the worker stages the outputs out, and the job succeeds.
    Finished(Finished),
    /// The work continues outside, and CodePipeline gives the token to a later job of the run.
    Continue(Continuation),
}

/// The result of a finished action.
#[derive(Default)]
pub struct Finished {
    /// One line for people, shown in the console and in the pipeline's history.
    pub summary: Option<String>,
    /// The id of the work in the system that does it. It fills `{ExternalExecutionId}` in the action type's URL.
    pub external_execution_id: Option<String>,
    /// 0 to 100; `None` means 100.
    pub percent_complete: Option<u8>,
    /// The action's output variables: names of `[A-Za-z0-9@_-]`, at most 122 880 bytes in all.
    pub variables: BTreeMap<String, String>,
    /// The revision that the action acted on.
    pub revision: Option<Revision>,
    /// S3 objects to copy to output artifacts, by the artifact's name: for work outside whose results are in S3 already. The worker
    /// packs each other output from its folder, if the action wants files.
    pub outputs: BTreeMap<String, ObjectPlace>,
}

/// An S3 object that the work outside has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// Work that continues outside. The API forbids output variables together with a continuation token.
pub struct Continuation {
    /// The text that a later job needs to find the work: at least one character, no secret. CodePipeline stores at most 2048
    /// characters, and the worker's envelope takes some 100 of them.
    pub token: String,
    /// One line for people.
    pub summary: Option<String>,
    /// As in [`Finished::external_execution_id`].
    pub external_execution_id: Option<String>,
    /// 0 to 100.
    pub percent_complete: Option<u8>,
}

/// The revision that an action acted on: the API's `currentRevision`.
#[derive(Serialize, Deserialize)]
pub struct Revision {
    /// 1 to 1500 characters.
    pub revision: String,
    /// 1 to 100 characters.
    pub change_identifier: String,
    /// At most 2048 characters.
    pub summary: Option<String>,
    /// When it was created: seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
}
