//! Executions of pipelines. How they start is in `starts`, how they move in `progress`.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Engine,
    artifacts::Artifact,
    declaration::PipelineDeclaration,
    error::ApiError,
    sources::AskedSources,
    starts::Trigger,
    variables::{Namespaces, PIPELINE_NAMESPACE},
};
use crate::types::Timestamp;

#[derive(Deserialize, Serialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) pipeline: String,
    /// The version that it began with. Only its number is kept with the execution.
    #[serde(with = "super::kept::version")]
    pub(crate) declaration: Arc<PipelineDeclaration>,
    pub(crate) status: ExecutionStatus,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) trigger: Trigger,
    /// The revisions that its start named for its source actions.
    pub(super) sources: AskedSources,
    /// Why it was stopped, if its owner has said so.
    pub(crate) stop_reason: Option<String>,
    /// 1, and one more for each retry of a stage.
    pub(crate) attempt: u32,
    /// How often each stage was retried, by its name.
    pub(crate) retries: BTreeMap<String, u32>,
    pub(super) place: Place,
    /// The stages that it has entered.
    pub(crate) stages: Vec<StageStatus>,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) namespaces: Namespaces,
}

#[derive(Deserialize, Serialize)]
pub(super) enum Place {
    /// Before the stage of this index.
    Waiting {
        stage: usize,
    },
    Running(Group),
    /// With the actions that ran last, if it ended among them.
    Over(Option<Group>),
}

/// In a stage, all actions of one run order.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Group {
    pub(super) stage: usize,
    pub(super) run_order: u32,
    pub(super) actions: Vec<u64>,
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

impl StageStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
        }
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

    pub(super) fn is_in_progress(&self) -> bool {
        !matches!(self.place, Place::Over(_))
    }

    /// The pipeline's variables as this execution has them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.namespaces.get(PIPELINE_NAMESPACE).into_iter().flatten()
    }

    /// The name of the stage that it waits for. Executions of different versions agree on names only.
    pub(super) fn waits_for_name(&self) -> Option<&str> {
        self.waits_for().map(|stage| self.declaration.stages[stage].name.as_str())
    }

    /// The name of the stage that it is in.
    pub(super) fn runs_in(&self) -> Option<&str> {
        match self.place {
            Place::Running(Group { stage, .. }) => Some(&self.declaration.stages[stage].name),
            _ => None,
        }
    }

    pub(super) fn has_entered(&self, stage: &str) -> bool {
        self.declaration.stages.iter().take(self.stages.len()).any(|entered| entered.name == stage)
    }
}

impl Engine {
    /// The pipeline's executions, the newest first.
    pub(crate) fn executions_of<'a>(&'a self, pipeline: &'a str) -> impl Iterator<Item = (u64, &'a Execution)> {
        self.executions
            .iter()
            .rev()
            .filter(move |(_, execution)| execution.pipeline == pipeline)
            .map(|(number, execution)| (*number, execution))
    }

    pub(crate) fn execution(&self, pipeline: &str, id: &str) -> Result<(u64, &Execution), ApiError> {
        self.pipeline(pipeline)?;
        let found = self.executions.iter().find(|(_, execution)| execution.pipeline == pipeline && execution.id == id);
        found.map(|(number, execution)| (*number, execution)).ok_or_else(|| {
            ApiError::new(
                "PipelineExecutionNotFoundException",
                format!("Pipeline '{pipeline}' has no execution with the id '{id}'"),
            )
        })
    }
}
