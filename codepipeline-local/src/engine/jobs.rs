//! Jobs: queued, due, and described to their workers. `offers` gives them to workers, and `results` ends them.

use super::{
    Engine,
    credentials::{self, Issued},
    error::ApiError,
    settings::Leniency,
    state::{
        ActionExecution, ActionNumber, EncryptionKey, Execution, ExecutionNumber, Job, JobNumber, JobState, StepKind,
    },
    third_party::Requester,
};
use crate::types::Timestamp;

/// Everything that a worker learns about a job, except the credentials. Borrowed from the engine.
pub(crate) struct JobView<'a> {
    pub(crate) job: &'a Job,
    pub(crate) action: &'a ActionExecution,
    pub(crate) execution: &'a Execution,
    pub(crate) encryption_key: Option<&'a EncryptionKey>,
}

impl Engine {
    /// The state of the job with this id at the last time that the engine was given, by its API name. `None` for an
    /// unknown or purged job. No API operation returns it.
    pub fn job_status(&self, id: &str) -> Option<&'static str> {
        let job = self.jobs.get(self.job_numbers.get(id)?)?;
        Some(job.state.name())
    }

    pub(super) fn queue_job(&mut self, action: ActionNumber, available: Timestamp, continuation_token: Option<String>) {
        let (id, number) = (self.random.uuid(), self.number());
        let state = if available <= self.clock && !self.halted { JobState::Queued } else { JobState::Created };
        if let Some(action) = self.actions.get_mut(&action) {
            let until = (state == JobState::Created).then_some(available);
            action.timeline.note_new_job(self.clock, &id, until);
        }
        self.job_numbers.insert(id.clone(), number);
        self.jobs.insert(
            number,
            Job {
                id,
                action,
                state,
                nonce: None,
                offers: 0,
                continuation_token,
                available,
                offered: available,
                finished: None,
                result_deadline: None,
            },
        );
        if state == JobState::Queued {
            self.job_is_queued(number);
        }
    }

    fn job_is_queued(&mut self, number: JobNumber) {
        let action = self.jobs.get(&number).and_then(|job| self.actions.get(&job.action));
        if action.is_some_and(ActionExecution::is_invocation) {
            self.invoke(number);
        }
    }

    /// The time at which the job changes without a request.
    pub(super) fn job_due(&self, job: &Job) -> Option<Timestamp> {
        match job.state {
            JobState::Created => Some(job.available),
            JobState::Dispatched => self.settings.reoffer_after.map(|delay| job.offered.after(delay)),
            JobState::Queued => None,
            JobState::InProgress => job.result_deadline,
            JobState::TimedOut | JobState::Succeeded | JobState::Failed => {
                job.finished.map(|finished| finished.after(self.settings.purge_after))
            }
        }
    }

    /// Makes the due change of a job.
    pub(super) fn job_is_due(&mut self, number: JobNumber) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        if job.state.has_ended() {
            self.job_numbers.remove(&job.id);
            self.jobs.remove(&number);
        } else if job.state == JobState::InProgress {
            self.invocation_timed_out(number);
        } else {
            let step = if job.state == JobState::Created { StepKind::Queued } else { StepKind::OfferExpired };
            job.state = JobState::Queued;
            self.note_job_step(number, step);
            self.job_is_queued(number);
        }
    }

    /// The number of a job, if `GetJobDetails` may return it.
    pub(crate) fn job_for_details(&self, id: &str) -> Result<JobNumber, ApiError> {
        let number = self.job_for(id, Requester::OwnWorker)?;
        let unacknowledged = self
            .jobs
            .get(&number)
            .is_some_and(|job| matches!(job.state, JobState::Created | JobState::Queued | JobState::Dispatched));
        if unacknowledged && self.settings.details_before_acknowledge == Leniency::Refuse {
            return Err(ApiError::no_job(id));
        }
        Ok(number)
    }

    pub(crate) fn job_view(&self, number: JobNumber) -> Option<JobView<'_>> {
        let job = self.jobs.get(&number)?;
        let action = self.actions.get(&job.action)?;
        let execution = self.executions.get(&action.execution)?;
        let store = execution.declaration.store(&self.settings.region);
        Some(JobView { job, action, execution, encryption_key: store.and_then(|store| store.encryption_key.as_ref()) })
    }

    /// Issues credentials for the job's objects. Earlier credentials stay valid until they expire. Returns `None` for
    /// an action without artifacts. It also returns `None` for a job that has ended: that is the emulator's choice.
    pub(crate) fn issue_credentials(&mut self, number: JobNumber) -> Option<Issued> {
        let job = self.jobs.get(&number).filter(|job| !job.state.has_ended())?;
        let action = self.actions.get(&job.action)?;
        if action.inputs.is_empty() && action.outputs.is_empty() {
            return None;
        }
        let readable = action.inputs.iter().map(|artifact| artifact.location.clone()).collect();
        let writable = action.outputs.iter().map(|artifact| artifact.location.clone()).collect();
        let key = self.store_key(action.execution);
        let expires = self.clock.after(self.settings.credential_life);
        let issued = credentials::issue(&mut self.random, expires, readable, writable, key);
        // Grants are never removed here: S3 would take an unknown key for an ordinary user's.
        self.grants.insert(issued.access_key_id.clone(), issued.grant.clone());
        Some(issued)
    }
}

impl Engine {
    /// The id of the KMS key of the execution's artifact store.
    pub(super) fn store_key(&self, execution: ExecutionNumber) -> Option<String> {
        let declaration = &self.executions.get(&execution)?.declaration;
        let key = declaration.store(&self.settings.region)?.encryption_key.as_ref()?;
        Some(key.id.clone())
    }
}
