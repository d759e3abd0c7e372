//! Action executions and artifacts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    declaration::{ActionDeclaration, Configuration},
    numbers::ExecutionNumber,
    revision::Revision,
    timeline::Timeline,
};
use crate::types::{ObjectRef, Timestamp};

/// An action execution. Holds configuration values, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) struct ActionExecution {
    pub(crate) id: String,
    pub(crate) execution: ExecutionNumber,
    pub(crate) stage: String,
    pub(crate) declaration: ActionDeclaration,
    /// The configuration with its variables resolved.
    pub(crate) configuration: Configuration,
    pub(crate) inputs: Vec<Artifact>,
    pub(crate) outputs: Vec<Artifact>,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(in crate::engine) deadline: Timestamp,
    pub(crate) status: ActionStatus,
    /// The token of a manual approval.
    pub(in crate::engine) approval_token: Option<String>,
    /// The ARN of the user who last approved, rejected or abandoned the action.
    pub(crate) updated_by: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) external_id: Option<String>,
    /// The URL of the run, if a provider of this machine gave one.
    #[serde(default)]
    pub(in crate::engine) external_url: Option<String>,
    pub(crate) percent_complete: Option<u8>,
    pub(crate) error: Option<ActionError>,
    /// The object version that an S3 source must read, if the start named one.
    pub(crate) source_version: Option<String>,
    pub(crate) revision: Option<Revision>,
    pub(crate) variables: BTreeMap<String, String>,
    /// The output variables of a success that waits for the check of its output artifacts.
    pub(in crate::engine) unchecked: Option<BTreeMap<String, String>>,
    /// Its steps. Empty for actions of earlier versions of the emulator.
    #[serde(default)]
    pub(crate) timeline: Timeline,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ActionStatus {
    InProgress,
    Abandoned,
    Succeeded,
    Failed,
}

impl ActionStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Abandoned => "Abandoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(crate) struct ActionError {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// An artifact within a pipeline execution.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) location: ObjectRef,
    /// The source revision behind the artifact, if the producing action reported one.
    pub(crate) revision: Option<String>,
}

impl ActionExecution {
    pub(in crate::engine) fn is_invocation(&self) -> bool {
        self.declaration.action_type_id.is_aws("Invoke", "Lambda")
    }

    pub(in crate::engine) fn function(&self) -> String {
        self.configuration.get("FunctionName").cloned().unwrap_or_default()
    }

    /// The token of a pending approval.
    pub(crate) fn open_approval(&self) -> Option<&str> {
        self.approval_token.as_deref().filter(|_| self.status == ActionStatus::InProgress)
    }
}
