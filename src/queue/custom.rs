//! Custom jobs: `PollForJobs`, `AcknowledgeJob`, `GetJobDetails`, `PutJobSuccessResult`, `PutJobFailureResult`.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::config::retry::RetryConfig;
use aws_sdk_codepipeline::config::timeout::TimeoutConfig;
use aws_sdk_codepipeline::types::JobStatus;
use tokio::time::Instant;

use super::attempts::{Budget, FailedKind, GaveUp, attempts};
use super::{Acknowledged, Claim, Delivered, Details, Offer, QueueError, Undelivered, convert};
use crate::job::ActionTypeId;
use crate::report::{ContinuationReport, FailureReport, Report, SuccessReport};

/// How long one try may take. Everything here is a small JSON exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);

/// A poll is tried three times in at most 8 s: the next schedule tick polls again.
const POLL: (u32, Duration) = (3, Duration::from_secs(8));

/// An offer is good for 30 s from the poll that brought it (the only public number for the re-offer, see the Jenkins
/// plugin); acknowledging after 25 s could hit a job that is on offer to another.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(25);
const ACKNOWLEDGE_TRIES: u32 = 5;

/// Details are tried for at most 20 s; the action's own time is running meanwhile.
const DETAILS: (u32, Duration) = (5, Duration::from_secs(20));

/// A report is tried longest: without it the pipeline hangs for hours. The deadline ends it, seldom the count.
const REPORT_TRIES: u32 = 30;

/// The job-worker API for custom action types.
#[derive(Clone)]
pub struct CustomQueue {
    client: Client,
}

impl CustomQueue {
    /// A queue that talks to the endpoint, in the region and with the credentials that `shared` holds.
    pub fn new(shared: &aws_config::SdkConfig) -> Self {
        let config = aws_sdk_codepipeline::config::Builder::from(shared)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_timeout(TRY).build(),
            )
            .build();
        Self { client: Client::from_conf(config) }
    }

    /// Asks for at most `room` jobs of a type. Answers at once, with nothing if nothing is there.
    ///
    /// # Errors
    /// When the service refuses (a deleted type, no permission, a wrong `query_param`) or does not answer.
    pub async fn poll(
        &self,
        action_type: &ActionTypeId,
        query_param: Option<&(String, String)>,
        room: usize,
    ) -> Result<Vec<Offer>, QueueError> {
        let polled_at = Instant::now();
        let request = self
            .client
            .poll_for_jobs()
            .action_type_id(convert::sdk_action_type(action_type))
            .max_batch_size(i32::try_from(room).unwrap_or(i32::MAX))
            .set_query_param(query_param.map(|(key, value)| [(key.clone(), value.clone())].into()));
        let budget = Budget { tries: POLL.0, until: polled_at + POLL.1 };
        let reply =
            attempts(budget, || request.clone().send()).await.map_err(|gave_up| failed("PollForJobs", gave_up))?;
        // A job without id, nonce or data can't be acknowledged; the model makes all three optional.
        let offer = |job: aws_sdk_codepipeline::types::Job| {
            let (job_of, credentials) = convert::job(job.id?, action_type, job.data?);
            Some(Offer { job: job_of, credentials, polled_at, nonce: job.nonce? })
        };
        Ok(reply.jobs.unwrap_or_default().into_iter().filter_map(offer).collect())
    }

    /// Takes the job on offer, if it is still there to be taken and `latest` is not over.
    pub async fn acknowledge(&self, offer: &Offer, latest: Instant) -> Acknowledged {
        let until = latest.min(offer.polled_at + ACKNOWLEDGE_WITHIN);
        let budget = Budget { tries: ACKNOWLEDGE_TRIES, until };
        if Instant::now() >= until {
            let reason = "the offer is older than 25 s, or too little time is left for the job";
            return Acknowledged::Refused(reason.into());
        }
        let request = self.client.acknowledge_job().job_id(&offer.job.id).nonce(&offer.nonce);
        match attempts(budget, || request.clone().send()).await {
            Ok(reply) if reply.status == Some(JobStatus::InProgress) => {
                Acknowledged::Claimed(Claim { job_id: offer.job.id.clone() })
            }
            Ok(reply) => Acknowledged::Refused(match reply.status {
                Some(status) => format!("the job's status is {}", status.as_str()),
                None => "the answer names no status".into(),
            }),
            // A plain refusal with no doubt before it: the job was never ours.
            Err(GaveUp { last, doubt_before: false, .. }) if last.kind != FailedKind::Doubtful => {
                Acknowledged::Refused(last.reason)
            }
            Err(GaveUp { last, .. }) => Acknowledged::Unknown(last.reason),
        }
    }

    /// What the job looks like now, with fresh credentials. Tried until `latest`, and for 20 s at most.
    ///
    /// # Errors
    /// When the service refuses or does not answer.
    pub async fn details(
        &self,
        claim: &Claim,
        action_type: &ActionTypeId,
        latest: Instant,
    ) -> Result<Details, QueueError> {
        let request = self.client.get_job_details().job_id(&claim.job_id);
        let budget = Budget { tries: DETAILS.0, until: latest.min(Instant::now() + DETAILS.1) };
        let reply =
            attempts(budget, || request.clone().send()).await.map_err(|gave_up| failed("GetJobDetails", gave_up))?;
        let data = reply.job_details.and_then(|details| details.data).ok_or_else(|| QueueError::Refused {
            operation: "GetJobDetails",
            reason: "the answer holds no job data".into(),
        })?;
        let (job, credentials) = convert::job(claim.job_id.clone(), action_type, data);
        Ok(Details { job, credentials })
    }

    /// Reports how the job ended. Tried until `deadline`.
    ///
    /// # Errors
    /// When no answer could be had in time, or the service refuses whoever asks (no permission).
    pub async fn report(&self, claim: Claim, report: Report, deadline: Instant) -> Result<Delivered, Box<Undelivered>> {
        let budget = Budget { tries: REPORT_TRIES, until: deadline };
        let (operation, result) = match &report {
            Report::Failure(failure) => ("PutJobFailureResult", self.put_failure(&claim, failure, budget).await),
            Report::Success(success) => ("PutJobSuccessResult", self.put_success(&claim, success, budget).await),
            Report::Continuation(it) => ("PutJobSuccessResult", self.put_continuation(&claim, it, budget).await),
        };
        let Err(gave_up) = result else { return Ok(Delivered::Accepted) };
        match gave_up.last.code.as_deref() {
            Some("InvalidJobStateException" | "JobNotFoundException") => {
                Ok(Delivered::AlreadyOver { doubtful: gave_up.doubt_before })
            }
            Some("ValidationException" | "OutputVariablesSizeExceededException") => {
                Ok(Delivered::Rejected { claim, reason: gave_up.last.reason })
            }
            _ => Err(Box::new(Undelivered { error: failed(operation, gave_up), report })),
        }
    }

    async fn put_success(&self, claim: &Claim, success: &SuccessReport, budget: Budget) -> Result<(), GaveUp> {
        let revision = success.revision.as_ref().map(convert::current_revision);
        let request = self
            .client
            .put_job_success_result()
            .job_id(&claim.job_id)
            .execution_details(convert::execution_details(&success.details))
            .set_current_revision(revision)
            .set_output_variables(
                Some(success.variables.clone().into_iter().collect()).filter(|it: &HashMap<_, _>| !it.is_empty()),
            );
        attempts(budget, || request.clone().send()).await.map(drop)
    }

    async fn put_continuation(
        &self,
        claim: &Claim,
        going_on: &ContinuationReport,
        budget: Budget,
    ) -> Result<(), GaveUp> {
        let request = self
            .client
            .put_job_success_result()
            .job_id(&claim.job_id)
            .continuation_token(&going_on.token)
            .execution_details(convert::execution_details(&going_on.details));
        attempts(budget, || request.clone().send()).await.map(drop)
    }

    async fn put_failure(&self, claim: &Claim, failure: &FailureReport, budget: Budget) -> Result<(), GaveUp> {
        let request = self
            .client
            .put_job_failure_result()
            .job_id(&claim.job_id)
            .failure_details(convert::failure_details(failure));
        attempts(budget, || request.clone().send()).await.map(drop)
    }
}

fn failed(operation: &'static str, gave_up: GaveUp) -> QueueError {
    let GaveUp { last, tries, .. } = gave_up;
    match last.kind {
        FailedKind::Refused => QueueError::Refused { operation, reason: last.reason },
        FailedKind::Throttled | FailedKind::Doubtful => {
            QueueError::Unavailable { operation, tries, reason: last.reason }
        }
    }
}
