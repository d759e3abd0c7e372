//! Causes of executions.

use serde::{Deserialize, Serialize};

/// The cause of an execution's start (API reference, "ExecutionTrigger").
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Trigger {
    pub(crate) kind: TriggerType,
    /// The ARN of the user, or the name of the changed source action.
    pub(crate) detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum TriggerType {
    CreatePipeline,
    StartPipelineExecution,
    PollForSourceChanges,
    PutActionRevision,
}

impl TriggerType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreatePipeline => "CreatePipeline",
            Self::StartPipelineExecution => "StartPipelineExecution",
            Self::PollForSourceChanges => "PollForSourceChanges",
            Self::PutActionRevision => "PutActionRevision",
        }
    }
}
