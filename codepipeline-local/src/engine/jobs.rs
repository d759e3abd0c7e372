//! Jobs as their workers see them: offered, acknowledged, described. `results` ends them.

use std::collections::BTreeMap;

use super::{
    Engine,
    credentials::{self, Issued},
    error::ApiError,
    settings::{Leniency, NonceForm},
    state::{
        ActionExecution, ActionNumber, ActionType, ActionTypeId, EncryptionKey, Execution, ExecutionNumber, Job,
        JobNumber, JobState, StepKind,
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

    /// Offers up to `batch` queued jobs of the type and returns their numbers, oldest first. A halted engine offers none.
    pub(crate) fn poll(
        &mut self,
        id: &ActionTypeId,
        batch: Option<usize>,
        query: &BTreeMap<String, String>,
    ) -> Result<Vec<JobNumber>, ApiError> {
        let action_type = self.pollable(id, "Custom")?;
        let wanted = match (action_type.queryable(), query.iter().next()) {
            (None, None) => None,
            (Some(property), Some((key, value))) if key == property => Some((key, value)),
            (Some(_), _) if self.settings.missing_query_param == Leniency::Accept => return Ok(Vec::new()),
            (Some(property), _) => {
                return Err(ApiError::validation(format!(
                    "queryParam must have the key '{property}', the queryable property of {}",
                    id.describe()
                )));
            }
            (None, Some(_)) => {
                return Err(ApiError::validation(format!(
                    "queryParam must be empty: {} has no queryable property",
                    id.describe()
                )));
            }
        };
        Ok(self.offer_queued(id, batch, |action| {
            wanted.is_none_or(|(key, value)| action.configuration.get(key) == Some(value))
        }))
    }

    /// As [`Engine::poll`], for a partner.
    pub(crate) fn poll_third_party(
        &mut self,
        id: &ActionTypeId,
        batch: Option<usize>,
    ) -> Result<Vec<JobNumber>, ApiError> {
        self.pollable(id, "ThirdParty")?;
        Ok(self.offer_queued(id, batch, |_| true))
    }

    fn pollable(&self, id: &ActionTypeId, owner: &str) -> Result<&ActionType, ApiError> {
        if id.owner != owner {
            return Err(ApiError::validation(format!("ActionType with owner '{}' is not supported", id.owner)));
        }
        self.available_action_type(id)
            .ok_or_else(|| ApiError::new("ActionTypeNotFoundException", format!("{} is not available", id.describe())))
    }

    fn offer_queued(
        &mut self,
        id: &ActionTypeId,
        batch: Option<usize>,
        wanted: impl Fn(&ActionExecution) -> bool,
    ) -> Vec<JobNumber> {
        let matching = |job: &Job| {
            !self.halted
                && job.state == JobState::Queued
                && self
                    .actions
                    .get(&job.action)
                    .is_some_and(|action| action.declaration.action_type_id == *id && wanted(action))
        };
        let offered: Vec<JobNumber> = self
            .jobs
            .iter()
            .filter(|(_, job)| matching(job))
            .map(|(number, _)| *number)
            .take(batch.unwrap_or(self.settings.default_batch_size))
            .collect();
        for number in &offered {
            self.offer(*number);
        }
        offered
    }

    fn offer(&mut self, number: JobNumber) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        job.state = JobState::Dispatched;
        job.offered = self.clock;
        job.offers += 1;
        if job.nonce.is_none() || !self.settings.keep_nonce_on_reoffer {
            job.nonce = Some(match self.settings.nonce_form {
                // Created is 1, and each offer adds two state changes: Queued and Dispatched.
                NonceForm::Counter => (1 + 2 * u64::from(job.offers)).to_string(),
                NonceForm::Random => self.random.text(19, b"123456789"),
            });
        }
        self.note_job_step(number, StepKind::Offered);
    }

    /// Gives the job to the worker with the nonce of the latest offer. An offer that expired and was not repeated is
    /// still valid, because no other worker can have a nonce for the job.
    pub(crate) fn acknowledge(
        &mut self,
        id: &str,
        nonce: &str,
        requester: Requester<'_>,
    ) -> Result<JobState, ApiError> {
        let (second, finished) = (self.settings.second_acknowledge, self.settings.acknowledge_finished);
        let number = self.job_for(id, requester)?;
        let job = self.jobs.get_mut(&number).ok_or_else(|| ApiError::no_job(id))?;
        let refused = |why: &str| Err(ApiError::new("InvalidNonceException", format!("Job '{id}' {why}")));
        if job.nonce.as_deref() != Some(nonce) {
            return refused("was not offered with this nonce, or was offered again since");
        }
        match job.state {
            JobState::Queued | JobState::Dispatched => {
                job.state = JobState::InProgress;
                self.note_job_step(number, StepKind::Acknowledged);
                Ok(JobState::InProgress)
            }
            JobState::InProgress if second == Leniency::Refuse => refused("was acknowledged already"),
            state if state.has_ended() && finished == Leniency::Refuse => refused("has ended"),
            state => Ok(state),
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
