//! Runs of actions on this machine: what a provider gets, and how it answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::state::{ActionTypeId, EnvironmentVariable};
use crate::types::ObjectRef;

/// An action that one of AWS's own providers runs, or a stand-in for it. It holds configuration values, so its `Debug` shows only names.
#[derive(Clone, PartialEq, Eq)]
pub struct Task {
    /// The type that the pipeline names.
    pub action_type: ActionTypeId,
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The id of the pipeline's execution.
    pub pipeline_execution_id: String,
    /// The id of the action's execution. A retry of the stage gets another one.
    pub action_execution_id: String,
    /// The emulator's region.
    pub region: String,
    /// The twelve digits of the emulator's account.
    pub account_id: String,
    /// The configuration with its variables resolved.
    pub configuration: BTreeMap<String, String>,
    /// The variables that the pipeline declares in each property of the configuration, as `NAMESPACE.KEY`, with their values.
    pub variables: BTreeMap<String, BTreeMap<String, String>>,
    /// The input artifacts, in the pipeline's order.
    pub inputs: Vec<TaskArtifact>,
    /// The output artifacts, in the pipeline's order. The provider stores an object at each place.
    pub outputs: Vec<TaskArtifact>,
    /// The commands of a Commands action, with their variables resolved.
    pub commands: Vec<String>,
    /// The names of the environment's variables that a Commands action exports.
    pub output_variables: Vec<String>,
    /// The patterns of the files in each output artifact of a Commands action, by the artifact's name.
    pub output_files: BTreeMap<String, Vec<String>>,
    /// The action's environment variables, with the variables of the pipeline in their values resolved.
    pub environment: Vec<EnvironmentVariable>,
    /// How long the action may run. After that, the engine ends the run.
    pub timeout: Duration,
}

/// An artifact of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskArtifact {
    /// The artifact's name in the pipeline.
    pub name: String,
    /// The artifact's object.
    pub place: ObjectRef,
    /// The source revision behind an input artifact.
    pub revision: Option<String>,
    /// The action that stores an input artifact, if the pipeline still has it.
    pub maker: Option<Maker>,
}

/// An action that stores an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The action's name.
    pub action: String,
    /// The action's type.
    pub action_type: ActionTypeId,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("action_type", &self.action_type)
            .field("pipeline", &self.pipeline)
            .field("stage", &self.stage)
            .field("action", &self.action)
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// The result of an action that succeeded. It may hold secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Done {
    /// The output variables, at most 122,880 bytes together (User Guide, "limits").
    pub variables: BTreeMap<String, String>,
    /// One line for people.
    pub summary: Option<String>,
    /// The id of the run in the external system.
    pub external_id: Option<String>,
    /// The URL of the run in the external system.
    pub external_url: Option<String>,
    /// The revision that a source action read.
    pub revision: Option<TaskRevision>,
}

/// The revision that a source action read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRevision {
    /// The revision's id, such as a commit id.
    pub id: String,
    /// The id of the change. It equals the revision's id unless the source distinguishes them.
    pub change_id: String,
    /// One line for people, such as the commit's message.
    pub summary: Option<String>,
}

/// Why an action failed, as CodePipeline shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failed {
    /// One of the API's codes: `JobFailed`, `ConfigurationError`, `PermissionError`, `RevisionOutOfSync`, `RevisionUnavailable` or
    /// `SystemUnavailable` (API reference, "FailureDetails").
    pub code: String,
    /// What failed, and what to change.
    pub message: String,
}

impl Failed {
    /// The action's work failed.
    pub fn job(message: impl Into<String>) -> Self {
        Self { code: "JobFailed".to_owned(), message: message.into() }
    }

    /// The action's configuration is wrong.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self { code: "ConfigurationError".to_owned(), message: message.into() }
    }
}
