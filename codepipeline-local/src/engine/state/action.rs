//! Executions of single actions, as the engine knows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    declaration::{ActionDeclaration, Configuration},
    numbers::ExecutionNumber,
    revision::Revision,
};
use crate::types::{ObjectRef, Timestamp};

/// Holds configuration values: no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) struct ActionExecution {
    pub(crate) id: String,
    pub(crate) execution: ExecutionNumber,
    pub(crate) stage: String,
    pub(crate) declaration: ActionDeclaration,
    /// The configuration with its variables replaced.
    pub(crate) configuration: Configuration,
    pub(crate) inputs: Vec<Artifact>,
    pub(crate) outputs: Vec<Artifact>,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(in crate::engine) deadline: Timestamp,
    pub(crate) status: ActionStatus,
    /// What a manual approval is approved with.
    pub(in crate::engine) approval_token: Option<String>,
    /// The ARN of the user who changed it last: approved, rejected or abandoned it.
    pub(crate) updated_by: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) percent_complete: Option<u8>,
    pub(crate) error: Option<ActionError>,
    /// The version that an S3 source must read, if the execution was started with one.
    pub(crate) source_version: Option<String>,
    pub(crate) revision: Option<Revision>,
    pub(crate) variables: BTreeMap<String, String>,
    /// The variables of a success that waits for its output artifacts to be found.
    pub(in crate::engine) unchecked: Option<BTreeMap<String, String>>,
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

/// One version of an artifact within a pipeline execution.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) location: ObjectRef,
    /// The source revision that it was made from, where the action that made it said so.
    pub(crate) revision: Option<String>,
}

impl ActionExecution {
    pub(in crate::engine) fn is_invocation(&self) -> bool {
        let id = &self.declaration.action_type_id;
        id.owner == "AWS" && id.category == "Invoke"
    }

    pub(in crate::engine) fn function(&self) -> String {
        self.configuration.get("FunctionName").cloned().unwrap_or_default()
    }

    /// The token to approve with, as long as it waits.
    pub(crate) fn open_approval(&self) -> Option<&str> {
        self.approval_token.as_deref().filter(|_| self.status == ActionStatus::InProgress)
    }
}
