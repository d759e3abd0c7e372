//! Custom jobs: `PollForJobs`, `AcknowledgeJob`, `GetJobDetails`, `PutJobSuccessResult`, `PutJobFailureResult`. Lambda
//! Invoke jobs use the last three as well.

use std::collections::HashMap;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::JobStatus;
use tokio::time::Instant;

use super::codes::{GaveUp, call};
use super::refusals::PollRequest;
use super::{CallError, Details, JobKey, Offer, Operations, Polled, QueueError, convert, poll_budget};
use crate::calls::Budget;
use crate::job::ActionTypeId;
use crate::report::{ContinuationReport, FailureReport, Report, SuccessReport};

/// The job-worker API for custom action types.
#[derive(Clone)]
pub(super) struct CustomQueue {
    client: Client,
    /// The region of the action types, for messages.
    region: String,
}

impl CustomQueue {
    pub(super) fn new(client: Client, region: String) -> Self {
        Self { client, region }
    }

    pub(super) async fn poll(
        &self,
        action_type: &ActionTypeId,
        query_param: Option<&(String, String)>,
        room: usize,
    ) -> Result<Polled, QueueError> {
        let polled_at = Instant::now();
        let request = self
            .client
            .poll_for_jobs()
            .action_type_id(convert::sdk_action_type(action_type))
            .max_batch_size(i32::try_from(room).unwrap_or(i32::MAX))
            .set_query_param(query_param.map(|(key, value)| [(key.clone(), value.clone())].into()));
        let budget = poll_budget(polled_at);
        let asked = PollRequest { operation: "PollForJobs", action_type, query_param, region: &self.region };
        let responded = call(budget, || request.clone().send()).await.map_err(|gave_up| asked.failed(gave_up))?;
        let jobs = responded.response.jobs.unwrap_or_default();
        let nothing = jobs.is_empty() && !responded.unanswered_before;
        // A job without id, nonce or data can't be acknowledged. The model has all three optional.
        let offer = |job: aws_sdk_codepipeline::types::Job| {
            let (job_of, credentials) =
                convert::job(job.id?, job.account_id, action_type, convert::JobData::from(job.data?));
            let key = JobKey { id: job_of.id.clone(), operations: Operations::Own };
            Some(Offer { job: job_of, credentials, polled_at, nonce: job.nonce?, key })
        };
        Ok(Polled { offers: jobs.into_iter().filter_map(offer).collect(), nothing, ..Polled::default() })
    }

    pub(super) async fn acknowledge(&self, id: &str, nonce: &str, budget: Budget) -> Result<Option<JobStatus>, GaveUp> {
        let request = self.client.acknowledge_job().job_id(id).nonce(nonce);
        call(budget, || request.clone().send()).await.map(|responded| responded.response.status)
    }

    pub(super) async fn details(
        &self,
        id: &str,
        action_type: &ActionTypeId,
        budget: Budget,
    ) -> Result<Details, QueueError> {
        const OPERATION: &str = "GetJobDetails";
        let request = self.client.get_job_details().job_id(id);
        let responded =
            call(budget, || request.clone().send()).await.map_err(|gave_up| CallError::from(gave_up).of(OPERATION))?;
        let (account_id, data) =
            responded.response.job_details.map(|details| (details.account_id, details.data)).unwrap_or_default();
        let data = data.ok_or_else(|| QueueError::Refused {
            operation: OPERATION,
            reason: "the response holds no job data".into(),
        })?;
        let (job, credentials) = convert::job(id.to_owned(), account_id, action_type, convert::JobData::from(data));
        Ok(Details { job, credentials })
    }

    /// The operation that the report takes, and its result.
    pub(super) async fn report(
        &self,
        id: &str,
        report: &Report,
        budget: Budget,
    ) -> (&'static str, Result<(), CallError>) {
        let (operation, result) = match report {
            Report::Failure(failure) => ("PutJobFailureResult", self.put_failure(id, failure, budget).await),
            Report::Success(success) => ("PutJobSuccessResult", self.put_success(id, success, budget).await),
            Report::Continuation(it) => ("PutJobSuccessResult", self.put_continuation(id, it, budget).await),
        };
        (operation, result.map_err(CallError::from))
    }

    async fn put_success(&self, id: &str, success: &SuccessReport, budget: Budget) -> Result<(), GaveUp> {
        let revision = success.revision.as_ref().map(convert::current_revision);
        let request = self
            .client
            .put_job_success_result()
            .job_id(id)
            .execution_details(convert::execution_details(&success.details))
            .set_current_revision(revision)
            .set_output_variables(
                Some(success.variables.clone().into_iter().collect()).filter(|it: &HashMap<_, _>| !it.is_empty()),
            );
        call(budget, || request.clone().send()).await.map(drop)
    }

    async fn put_continuation(
        &self,
        id: &str,
        continuation: &ContinuationReport,
        budget: Budget,
    ) -> Result<(), GaveUp> {
        let request = self
            .client
            .put_job_success_result()
            .job_id(id)
            .continuation_token(&continuation.token)
            .execution_details(convert::execution_details(&continuation.details));
        call(budget, || request.clone().send()).await.map(drop)
    }

    async fn put_failure(&self, id: &str, failure: &FailureReport, budget: Budget) -> Result<(), GaveUp> {
        let request =
            self.client.put_job_failure_result().job_id(id).failure_details(convert::failure_details(failure));
        call(budget, || request.clone().send()).await.map(drop)
    }
}
