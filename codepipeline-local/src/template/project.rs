//! The content of a file as plain data. It has values of parameters, which may be secrets, so it has no `Debug`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::problem::Problem;

/// The pipelines of one file, and what they need.
#[derive(Default)]
pub(crate) struct Project {
    pub(crate) file: PathBuf,
    pub(crate) pipelines: Vec<Pipeline>,
    /// Inputs of `CreateCustomActionType`.
    pub(crate) action_types: Vec<Value>,
    /// By the name of the project. Only those that an action of a pipeline names.
    pub(crate) code_build: BTreeMap<String, CodeBuildProject>,
    /// By the function's name.
    pub(crate) functions: BTreeMap<String, Function>,
    /// By name.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Logical ids of connections, by ARN.
    pub(crate) connections: BTreeMap<String, String>,
    /// Logical ids by the names and ARNs that the template's resources got here.
    pub(crate) logical_ids: BTreeMap<String, String>,
    /// Warnings: what is left out, and where a made-up value stands in.
    pub(crate) notes: Vec<Problem>,
}

pub(crate) struct Pipeline {
    /// None for the JSON of `get-pipeline`.
    pub(crate) logical_id: Option<String>,
    /// The member `pipeline` of `CreatePipeline`'s input.
    pub(crate) declaration: Value,
    /// The member `tags` of that input, or null.
    pub(crate) tags: Value,
    pub(crate) disabled_transitions: Vec<DisabledTransition>,
}

/// An inbound transition that is disabled from the start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DisabledTransition {
    pub(crate) stage: String,
    pub(crate) reason: String,
}

pub(crate) struct CodeBuildProject {
    pub(crate) logical_id: String,
    pub(crate) buildspec: Buildspec,
    pub(crate) environment: Vec<ProjectVariable>,
    /// The image of the build's container. Nothing here runs it.
    pub(crate) image: Option<String>,
    /// The type of the primary source, such as `CODEPIPELINE`.
    #[cfg_attr(not(test), expect(dead_code, reason = "a build gets its source from the pipeline"))]
    pub(crate) source_type: Option<String>,
    /// The identifier of the primary source.
    #[cfg_attr(not(test), expect(dead_code, reason = "a build gets its source from the pipeline"))]
    pub(crate) source_identifier: Option<String>,
    /// None where the template says nothing; CodeBuild then takes 60.
    pub(crate) timeout_in_minutes: Option<u64>,
    /// None where the template says nothing; CodeBuild then takes 480.
    #[cfg_attr(not(test), expect(dead_code, reason = "no build waits in a queue here"))]
    pub(crate) queued_timeout_in_minutes: Option<u64>,
}

/// Where the buildspec is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Buildspec {
    /// The text itself.
    Inline(String),
    /// A path in the primary source, or the ARN of an S3 object.
    Path(String),
    /// `buildspec.yml` in the primary source.
    Default,
}

pub(crate) struct ProjectVariable {
    pub(crate) name: String,
    /// The value, or the name of the parameter or secret.
    pub(crate) value: String,
    /// `PLAINTEXT`, `PARAMETER_STORE` or `SECRETS_MANAGER`.
    pub(crate) kind: String,
}

pub(crate) struct Function {
    pub(crate) logical_id: String,
    pub(crate) handler: Option<String>,
    pub(crate) runtime: Option<String>,
    /// A file or folder of this machine, if the template or the CDK names one.
    pub(crate) code: Option<PathBuf>,
    /// How long an invocation may take, in seconds. `None` where the template says nothing.
    pub(crate) timeout: Option<u64>,
    /// The memory in MiB. `None` where the template says nothing.
    pub(crate) memory: Option<u32>,
    /// Variables of the environment. `None` is a value that only AWS knows.
    pub(crate) environment: BTreeMap<String, Option<String>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) logical_id: String,
    pub(crate) versioned: bool,
}
