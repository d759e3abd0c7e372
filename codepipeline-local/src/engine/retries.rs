//! Retries of stages (User Guide, "actions-retry").

use super::{
    Engine,
    error::ApiError,
    state::{ActionNumber, ActionStatus, ExecutionMode, ExecutionNumber, ExecutionStatus, Group, Place, StageStatus},
};
use crate::types::Timestamp;

/// The actions of a stage that run again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryMode {
    FailedActions,
    AllActions,
}

impl Engine {
    /// Runs a failed or stopped stage again, as part of the same pipeline execution.
    pub(crate) fn retry_stage(
        &mut self,
        now: Timestamp,
        pipeline: &str,
        stage: &str,
        id: &str,
        mode: RetryMode,
    ) -> Result<(), ApiError> {
        let (number, Group { stage: index, run_order, actions }) = self.retryable(pipeline, stage, id)?;
        self.check_not_halted()?;
        if let Some(execution) = self.executions.get(&number) {
            self.check_limit(pipeline, &execution.declaration)?;
        }
        let Some(execution) = self.executions.get_mut(&number) else { return Ok(()) };
        let declaration = execution.declaration.clone();
        execution.status = ExecutionStatus::InProgress;
        execution.updated = now;
        execution.attempt += 1;
        *execution.retries.entry(stage.to_owned()).or_default() += 1;
        execution.stop_reason = None;
        self.active.insert(number);
        self.emit_pipeline_event(number, "RESUMED");
        if let Some(stage) = self.executions.get_mut(&number).and_then(|execution| execution.stages.last_mut()) {
            *stage = StageStatus::InProgress;
        }
        self.emit_stage_event(number, "RESUMED");
        match mode {
            RetryMode::AllActions => {
                self.run_next_group(now, number, index, 0);
            }
            RetryMode::FailedActions => {
                let mut again = Vec::new();
                for action in actions {
                    let failed = self.actions.get(&action).filter(|action| action.status != ActionStatus::Succeeded);
                    again.push(match failed.map(|action| action.declaration.clone()) {
                        Some(declared) => self.start_action(now, number, &declaration, index, &declared),
                        None => action,
                    });
                }
                self.put(now, number, Place::Running(Group { stage: index, run_order, actions: again }));
            }
        }
        self.settle(now);
        Ok(())
    }

    /// Whether [`Engine::retry_stage`] would retry the stage, apart from the limit of parallel executions.
    pub(crate) fn can_retry(&self, pipeline: &str, stage: &str, id: &str) -> bool {
        self.retryable(pipeline, stage, id).is_ok()
    }

    /// The execution's number, and the actions of its last group.
    fn retryable(&self, pipeline: &str, stage: &str, id: &str) -> Result<(ExecutionNumber, Group), ApiError> {
        let latest = self.pipeline(pipeline)?.latest();
        let declared = self.stage(pipeline, stage)?;
        // In PARALLEL mode, executions have no order.
        let entered = self.executions_of(pipeline).find(|(_, execution)| {
            let parallel = execution.declaration.execution_mode == ExecutionMode::Parallel;
            execution.has_entered(stage) && (!parallel || execution.id == id)
        });
        let Some((number, execution)) = entered.filter(|(_, execution)| execution.id == id) else {
            return Err(ApiError::new(
                "NotLatestPipelineExecutionException",
                format!("The execution '{id}' is not the latest one in stage '{stage}'"),
            ));
        };
        let refused = |why: &str| {
            let message = format!("Stage '{stage}' of the execution '{id}' can not be retried: {why}");
            Err(ApiError::new("StageNotRetryableException", message))
        };
        let group = match &execution.place {
            Place::Ended(Some(group)) if execution.declaration.stages[group.stage].name == stage => group,
            Place::Ended(_) => return refused("it has no failed actions"),
            Place::Waiting { .. } | Place::Running(_) => return refused("the execution is in progress"),
        };
        if execution.declaration.stages[group.stage] != *declared {
            return refused(&format!("version {} of the pipeline has another structure in this stage", latest.version));
        }
        let failed = |action: &ActionNumber| {
            let status = self.actions.get(action).map(|action| action.status);
            matches!(status, Some(ActionStatus::Failed | ActionStatus::Abandoned))
        };
        if group.actions.iter().any(failed) { Ok((number, group.clone())) } else { refused("it has no failed actions") }
    }
}
