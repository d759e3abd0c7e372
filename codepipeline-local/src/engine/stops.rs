//! Early ends of executions: stopped by a user, canceled by an update, or interrupted by a restart.

use super::{
    Engine,
    error::ApiError,
    state::{ActionNumber, ActionStatus, ExecutionNumber, ExecutionStatus, JobState, StageStatus, StepKind},
};
use crate::types::Timestamp;

/// The reason of a stop that no user asked for.
const INTERRUPTED: &str = "codepipeline-local was restarted while this execution was in progress";

/// Why the actions of an execution are abandoned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A user's request.
    Stop,
    /// An update of the pipeline.
    Update,
    /// A restart of the emulator.
    Restart,
}

impl Engine {
    /// Stops an execution: at once if its actions are abandoned, otherwise when the actions in progress have ended
    /// (User Guide, "pipelines-stop").
    pub(crate) fn stop_execution(
        &mut self,
        now: Timestamp,
        pipeline: &str,
        id: &str,
        abandon: bool,
        reason: Option<String>,
    ) -> Result<(), ApiError> {
        self.pipeline(pipeline)?;
        let found = self.executions_of(pipeline).find(|(_, execution)| execution.id == id);
        let (number, status) = match found.map(|(number, execution)| (number, execution.status)) {
            Some((_, ExecutionStatus::Stopping)) if !abandon => {
                return Err(ApiError::new(
                    "DuplicatedStopRequestException",
                    format!("The pipeline execution '{id}' is already stopping; you can only abandon it"),
                ));
            }
            Some((number, status @ (ExecutionStatus::InProgress | ExecutionStatus::Stopping))) => (number, status),
            // The API has no error for a missing execution.
            other => {
                return Err(ApiError::new(
                    "PipelineExecutionNotStoppableException",
                    format!(
                        "Pipeline '{pipeline}' has no execution '{id}' in progress: it is {}",
                        other.map_or("unknown", |(_, status)| status.name())
                    ),
                ));
            }
        };
        if let Some(execution) = self.executions.get_mut(&number) {
            execution.status = ExecutionStatus::Stopping;
            execution.updated = now;
            execution.stop_reason = reason.or(execution.stop_reason.take());
        }
        if status == ExecutionStatus::InProgress {
            self.emit_pipeline_event(number, ExecutionStatus::Stopping.event_state());
            if self.executions.get(&number).is_some_and(|execution| execution.runs_in().is_some()) {
                self.mark_stage(number, StageStatus::Stopping);
            }
        }
        if abandon {
            self.abandon_actions(now, number, Cause::Stop);
        }
        self.settle(now);
        Ok(())
    }

    /// Cancels each execution of the pipeline that is in progress, because the pipeline's structure changed (User
    /// Guide, "detect-state-changes-cloudwatch-events").
    pub(super) fn cancel_executions(&mut self, now: Timestamp, pipeline: &str) {
        let canceled: Vec<ExecutionNumber> = self
            .executions_of(pipeline)
            .filter(|(number, _)| self.active.contains(number))
            .map(|(number, _)| number)
            .collect();
        for number in canceled {
            self.abandon_actions(now, number, Cause::Update);
            if self.executions.get(&number).is_some_and(|execution| execution.runs_in().is_some()) {
                self.mark_stage(number, StageStatus::Cancelled);
            }
            self.end(now, number, ExecutionStatus::Cancelled);
        }
    }

    /// Stops each execution in progress, because its jobs were not saved.
    pub(super) fn stop_interrupted(&mut self, now: Timestamp) {
        let interrupted: Vec<ExecutionNumber> = self.active.iter().copied().collect();
        for number in interrupted {
            if let Some(execution) = self.executions.get_mut(&number) {
                execution.stop_reason.get_or_insert_with(|| INTERRUPTED.to_owned());
            }
            self.abandon_actions(now, number, Cause::Restart);
            if self.executions.get(&number).is_some_and(|execution| execution.runs_in().is_some()) {
                self.mark_stage(number, StageStatus::Stopped);
            }
            self.end(now, number, ExecutionStatus::Stopped);
        }
    }

    /// Abandons the execution's actions in progress. Their workers learn of it from events only, and providers are ended.
    fn abandon_actions(&mut self, now: Timestamp, execution: ExecutionNumber, cause: Cause) {
        let user = self.user_arn();
        let in_progress =
            |number: &&ActionNumber| self.actions.get(number).is_some_and(|action| action.execution == execution);
        let abandoned: Vec<ActionNumber> = self.running.iter().filter(in_progress).copied().collect();
        for number in abandoned {
            self.end_jobs(now, number, JobState::Failed);
            self.end_run(number);
            if let Some(action) = self.actions.get_mut(&number) {
                action.status = ActionStatus::Abandoned;
                action.updated = now;
                action.timeline.note(now, StepKind::Abandoned);
                action.updated_by = (cause == Cause::Stop).then(|| user.clone());
            }
            self.running.remove(&number);
            self.emit_action_event(number, cause == Cause::Update);
        }
    }

    /// Ends the action's job. Its worker learns of it from the response to its result.
    pub(super) fn end_jobs(&mut self, now: Timestamp, action: ActionNumber, state: JobState) {
        for job in self.jobs.values_mut().filter(|job| job.action == action && !job.state.has_ended()) {
            job.state = state;
            job.finished = Some(now);
        }
    }
}
