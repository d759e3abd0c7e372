//! Pipeline executions.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    action::Artifact, declaration::PipelineDeclaration, numbers::ActionNumber, revision::RequestedRevisions,
    trigger::Trigger,
};
use crate::engine::variables::{Namespaces, PIPELINE_NAMESPACE};
use crate::types::Timestamp;

#[derive(Deserialize, Serialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) pipeline: String,
    /// The version that the execution runs. Only its number is saved with the execution.
    #[serde(with = "super::kept::version")]
    pub(crate) declaration: Arc<PipelineDeclaration>,
    pub(crate) status: ExecutionStatus,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) trigger: Trigger,
    /// The revisions that its start requested for source actions.
    pub(in crate::engine) sources: RequestedRevisions,
    /// The reason of a stop, if the user gave one.
    pub(crate) stop_reason: Option<String>,
    /// 1, plus 1 for each retry of a stage.
    pub(crate) attempt: u32,
    /// The number of retries of each stage, by name.
    pub(crate) retries: BTreeMap<String, u32>,
    pub(in crate::engine) place: Place,
    /// The stages that it entered.
    pub(crate) stages: Vec<StageStatus>,
    pub(in crate::engine) artifacts: BTreeMap<String, Artifact>,
    pub(in crate::engine) namespaces: Namespaces,
}

#[derive(Deserialize, Serialize)]
pub(in crate::engine) enum Place {
    /// Before the stage with this index.
    Waiting {
        stage: usize,
    },
    Running(Group),
    /// With the last group of actions, if the execution ended during one.
    #[serde(rename = "Over")]
    Ended(Option<Group>),
}

/// The actions of a stage with one run order.
#[derive(Clone, Deserialize, Serialize)]
pub(in crate::engine) struct Group {
    pub(in crate::engine) stage: usize,
    pub(in crate::engine) run_order: u32,
    pub(in crate::engine) actions: Vec<ActionNumber>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ExecutionStatus {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Superseded,
    Cancelled,
    Failed,
}

impl ExecutionStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Superseded => "Superseded",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
    }

    /// The state in the event for an execution that changes to this status.
    pub(in crate::engine) fn event_state(self) -> &'static str {
        match self {
            Self::InProgress => "STARTED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Succeeded => "SUCCEEDED",
            Self::Superseded => "SUPERSEDED",
            Self::Cancelled => "CANCELED",
            Self::Failed => "FAILED",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum StageStatus {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Cancelled,
    Failed,
}

impl From<StageStatus> for ExecutionStatus {
    fn from(status: StageStatus) -> Self {
        match status {
            StageStatus::InProgress => Self::InProgress,
            StageStatus::Stopping => Self::Stopping,
            StageStatus::Stopped => Self::Stopped,
            StageStatus::Succeeded => Self::Succeeded,
            StageStatus::Cancelled => Self::Cancelled,
            StageStatus::Failed => Self::Failed,
        }
    }
}

impl StageStatus {
    pub(crate) fn name(self) -> &'static str {
        ExecutionStatus::from(self).name()
    }

    /// The state in the event for a stage that changes to this status.
    pub(in crate::engine) fn event_state(self) -> &'static str {
        ExecutionStatus::from(self).event_state()
    }
}

impl Execution {
    /// The index of the stage that it waits for.
    pub(crate) fn waits_for(&self) -> Option<usize> {
        match self.place {
            Place::Waiting { stage } => Some(stage),
            _ => None,
        }
    }

    pub(in crate::engine) fn is_in_progress(&self) -> bool {
        !matches!(self.place, Place::Ended(_))
    }

    /// The values of the pipeline's variables in this execution.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.namespaces.get(PIPELINE_NAMESPACE).into_iter().flatten()
    }

    /// The name of the stage that it waits for. Stages of different versions are compared by name.
    pub(in crate::engine) fn waits_for_name(&self) -> Option<&str> {
        self.waits_for().map(|stage| self.declaration.stages[stage].name.as_str())
    }

    /// The name of the stage that it is in.
    pub(in crate::engine) fn runs_in(&self) -> Option<&str> {
        match self.place {
            Place::Running(Group { stage, .. }) => Some(&self.declaration.stages[stage].name),
            _ => None,
        }
    }

    pub(in crate::engine) fn has_entered(&self, stage: &str) -> bool {
        self.declaration.stages.iter().take(self.stages.len()).any(|entered| entered.name == stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_execution_keeps_its_saved_form() {
        let saved = r#"{"Over":{"stage":1,"run_order":2,"actions":[3,4]}}"#;
        let place: Place = serde_json::from_str(saved).unwrap();
        assert!(matches!(&place, Place::Ended(Some(group)) if group.actions == [3.into(), 4.into()]));
        assert_eq!(serde_json::to_string(&place).unwrap(), saved);
    }
}
