//! Offers of jobs to the workers that poll, and their acknowledgement.

use std::collections::BTreeMap;

use super::{
    Engine,
    error::ApiError,
    settings::{Leniency, NonceForm},
    state::{ActionExecution, ActionType, ActionTypeId, Job, JobNumber, JobState, StepKind},
    third_party::Requester,
};

impl Engine {
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
}
