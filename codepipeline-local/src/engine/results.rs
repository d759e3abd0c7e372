//! Results that workers report, and their effect on the action.

use std::collections::BTreeMap;

use super::{
    Effect, Engine, OutputsId,
    error::ApiError,
    settings::Leniency,
    state::{ActionNumber, JobNumber, JobState, Revision, StepKind},
    third_party::Requester,
};
use crate::types::{ObjectRef, Timestamp};

/// The limit of all output variables of an action, in bytes (User Guide, "limits").
pub(super) const VARIABLES_LIMIT: usize = 122_880;

/// The `executionDetails` of a result.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) summary: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) percent_complete: Option<u8>,
}

/// A `PutJobSuccessResult` or `PutThirdPartyJobSuccessResult`.
pub(crate) struct Success {
    pub(crate) progress: Progress,
    pub(crate) revision: Option<Revision>,
    pub(crate) continuation_token: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Engine {
    pub(crate) fn put_success(&mut self, id: &str, success: Success, requester: Requester<'_>) -> Result<(), ApiError> {
        let Some((action, number)) = self.job_for_result(id, requester)? else { return Ok(()) };
        let size = variables_size(&success.variables);
        if size > VARIABLES_LIMIT {
            return Err(ApiError::new(
                "OutputVariablesSizeExceededException",
                format!("The output variables have {size} bytes; the limit is {VARIABLES_LIMIT}"),
            ));
        }
        let lenient = self.settings.variables_with_continuation == Leniency::Accept;
        if success.continuation_token.is_some() && !success.variables.is_empty() && !lenient {
            return Err(ApiError::validation("outputVariables can not be given together with a continuationToken"));
        }
        let now = self.clock;
        let step = if success.continuation_token.is_some() { StepKind::Continued } else { StepKind::ReportedSuccess };
        self.note_job_step(number, step);
        self.finish_job(number, JobState::Succeeded);
        self.note_progress(action, success.progress);
        if let (Some(revision), Some(action)) = (success.revision, self.actions.get_mut(&action)) {
            action.revision = Some(revision);
        }
        match success.continuation_token {
            Some(token) => self.queue_job(action, now.after(self.settings.continuation_delay), Some(token)),
            None => self.succeed_or_check(now, action, success.variables),
        }
        self.settle(now);
        Ok(())
    }

    pub(super) fn succeed_or_check(
        &mut self,
        now: Timestamp,
        number: ActionNumber,
        variables: BTreeMap<String, String>,
    ) {
        let lenient = self.settings.missing_output == Leniency::Accept;
        match self.actions.get_mut(&number) {
            Some(action) if !lenient && !action.outputs.is_empty() => {
                let places = action.outputs.iter().map(|output| output.location.clone()).collect();
                action.unchecked = Some(variables);
                self.effects.push(Effect::CheckOutputs { id: OutputsId(number), places });
            }
            _ => self.succeed_action(now, number, variables),
        }
    }

    /// Takes the result of an [`Effect::CheckOutputs`]: the objects that are missing. A late or repeated result has
    /// no effect.
    pub fn outputs_checked(&mut self, now: Timestamp, id: OutputsId, missing: &[ObjectRef]) {
        self.advance(now);
        let now = self.clock;
        if !self.running.contains(&id.0) {
            return;
        }
        let Some(action) = self.actions.get_mut(&id.0) else { return };
        let Some(variables) = action.unchecked.take() else { return };
        match action.outputs.iter().find(|output| missing.contains(&output.location)) {
            None => self.succeed_action(now, id.0, variables),
            Some(output) => {
                let ObjectRef { bucket, key } = &output.location;
                let message = format!(
                    "The output artifact '{}' is missing: upload it to s3://{bucket}/{key} before you put the job's success",
                    output.name
                );
                self.fail_action(now, id.0, "JobFailed", message);
            }
        }
        self.settle(now);
    }

    pub(crate) fn put_failure(
        &mut self,
        id: &str,
        code: &str,
        message: String,
        external_id: Option<String>,
        requester: Requester<'_>,
    ) -> Result<(), ApiError> {
        let Some((action, number)) = self.job_for_result(id, requester)? else { return Ok(()) };
        let now = self.clock;
        self.note_job_step(number, StepKind::ReportedFailure);
        self.finish_job(number, JobState::Failed);
        self.note_progress(action, Progress { external_id, ..Progress::default() });
        self.fail_action(now, action, code, message);
        self.settle(now);
        Ok(())
    }

    /// The action and the number of the job. `None` if the result is late and the settings ignore it.
    fn job_for_result(
        &self,
        id: &str,
        requester: Requester<'_>,
    ) -> Result<Option<(ActionNumber, JobNumber)>, ApiError> {
        let number = self.job_for(id, requester)?;
        let early = self.settings.put_before_acknowledge == Leniency::Accept;
        let job = self.jobs.get(&number).ok_or_else(|| ApiError::no_job(id))?;
        let offered = job.nonce.is_some() && matches!(job.state, JobState::Queued | JobState::Dispatched);
        if job.state == JobState::InProgress || (offered && early) {
            return Ok(Some((job.action, number)));
        }
        if job.state.has_ended() && self.settings.late_result == Leniency::Accept {
            return Ok(None);
        }
        Err(ApiError::new(
            "InvalidJobStateException",
            format!(
                "Job '{id}' is in the state {}; only a job in the state InProgress accepts a result",
                job.state.name()
            ),
        ))
    }

    fn finish_job(&mut self, number: JobNumber, state: JobState) {
        if let Some(job) = self.jobs.get_mut(&number) {
            job.state = state;
            job.finished = Some(self.clock);
        }
    }

    pub(super) fn note_progress(&mut self, action: ActionNumber, progress: Progress) {
        let Some(action) = self.actions.get_mut(&action) else { return };
        action.updated = self.clock;
        action.summary = progress.summary.or(action.summary.take());
        action.external_id = progress.external_id.or(action.external_id.take());
        action.percent_complete = progress.percent_complete.or(action.percent_complete);
    }
}

/// The size of output variables that the limit is for.
pub(super) fn variables_size(variables: &BTreeMap<String, String>) -> usize {
    variables.iter().map(|(key, value)| key.len() + value.len()).sum()
}
