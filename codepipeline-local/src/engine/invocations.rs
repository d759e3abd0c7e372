//! Lambda Invoke actions. The service invokes the function with the job; nothing polls or acknowledges it (User
//! Guide, "action-reference-Lambda").

use super::{
    Effect, Engine,
    state::{ActionExecution, JobNumber, JobState, StepKind},
};
use crate::types::Timestamp;

impl Engine {
    /// Invokes the function of a job.
    pub(super) fn invoke(&mut self, number: JobNumber) {
        let now = self.clock;
        let Some(job) = self.jobs.get_mut(&number) else { return };
        let Some(action) = self.actions.get(&job.action) else { return };
        job.state = JobState::InProgress;
        job.result_deadline = Some(now.after(self.settings.invoke_timeout));
        self.effects.push(Effect::InvokeFunction { function: action.function(), job: job.id.clone() });
        self.note_job_step(number, StepKind::Invoked);
    }

    /// Fails the action of a job whose function sent no result in time.
    pub(super) fn invocation_timed_out(&mut self, number: JobNumber) {
        let Some(action) = self.jobs.get(&number).map(|job| job.action) else { return };
        let Some(function) = self.actions.get(&action).map(ActionExecution::function) else { return };
        self.note_job_step(number, StepKind::TimedOut);
        self.end_jobs(self.clock, action, JobState::TimedOut);
        // The wording of the service, as users report it.
        let message = format!(
            "The AWS Lambda function {function} failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult."
        );
        self.fail_action(self.clock, action, "JobFailed", message);
    }

    /// Whether a function was invoked with the job.
    pub(crate) fn is_invoked(&self, number: JobNumber) -> bool {
        self.jobs.get(&number).is_some_and(|job| job.result_deadline.is_some())
    }

    /// The action of an invoked job without a result, and the moment at which it fails for that. `None` for other jobs.
    pub(crate) fn awaited_result(&self, job: &str) -> Option<(&ActionExecution, Timestamp)> {
        let job = self.jobs.get(&self.job_number(job)?).filter(|job| job.state == JobState::InProgress)?;
        Some((self.actions.get(&job.action)?, job.result_deadline?))
    }

    /// The number of the job with this id.
    pub(crate) fn job_number(&self, id: &str) -> Option<JobNumber> {
        self.job_numbers.get(id).copied()
    }
}
