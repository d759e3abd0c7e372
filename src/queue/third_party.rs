//! Third-party jobs: `PollForThirdPartyJobs`, `GetThirdPartyJobDetails`, `AcknowledgeThirdPartyJob`,
//! `PutThirdPartyJobSuccessResult`, `PutThirdPartyJobFailureResult`.
//!
//! A poll returns only the ids of jobs and their clients. The work and the nonce come from the details, which need the
//! client's token.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{JobStatus, ThirdPartyJobDetails};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use super::client_tokens::{ClientTokens, LookUp, TokenProblem};
use super::codes::{GaveUp, call, is_token_refused};
use super::refusals::PollRequest;
use super::{
    CallError, ClientAccess, DETAILS, Details, JobKey, Offer, Operations, PAUSES, Polled, QueueError, convert,
    poll_budget,
};
use crate::calls::Budget;
use crate::job::{ActionTypeId, Finished};
use crate::report::Report;

/// How long one poll may spend on the tokens and details of its jobs. A client that does not answer by then costs its
/// own job, not the batch. Together with the poll's own 8 s this leaves 9 of the 25 s for acknowledging and for the
/// claim in the ledger, which must be written within 20 s.
pub(super) const LOOK_UP: Duration = Duration::from_secs(8);

const GET_DETAILS: &str = "GetThirdPartyJobDetails";

/// The job-worker API for partners' action types.
#[derive(Clone)]
pub(super) struct ThirdPartyQueue {
    client: Client,
    tokens: Arc<ClientTokens>,
    /// The region of the action types, for messages.
    region: String,
    pub(super) look_up_limit: Duration,
}

/// A job that was not prepared. The log says why.
struct Unusable {
    /// Whether its client token is missing or wrong.
    is_token: bool,
}

impl ThirdPartyQueue {
    pub(super) fn new(client: Client, tokens: ClientTokens, region: String) -> Self {
        Self { client, tokens: Arc::new(tokens), region, look_up_limit: LOOK_UP }
    }

    pub(super) async fn poll(&self, action_type: &ActionTypeId, room: usize) -> Result<Polled, QueueError> {
        let polled_at = Instant::now();
        let request = self
            .client
            .poll_for_third_party_jobs()
            .action_type_id(convert::sdk_action_type(action_type))
            .max_batch_size(i32::try_from(room).unwrap_or(i32::MAX));
        let budget = poll_budget(polled_at);
        let operation = "PollForThirdPartyJobs";
        let asked = PollRequest { operation, action_type, query_param: None, region: &self.region };
        let responded = call(budget, || request.clone().send()).await.map_err(|gave_up| asked.failed(gave_up))?;
        let jobs = responded.response.jobs.unwrap_or_default();
        let mut polled = Polled { nothing: jobs.is_empty() && !responded.unanswered_before, ..Polled::default() };

        // All jobs at once, because the whole batch must be acknowledged within the same 25 s. A client without a token
        // is not asked for again in this poll.
        let look_up = LookUp { until: Instant::now() + self.look_up_limit, since: polled_at, insists: false };
        let mut preparations = JoinSet::new();
        for job in jobs {
            let (Some(job_id), Some(client_id)) = (job.job_id, job.client_id) else { continue };
            let (queue, action_type) = (self.clone(), action_type.clone());
            let preparing = async move { queue.offer(job_id, client_id, &action_type, look_up).await };
            preparations.spawn(preparing.in_current_span());
        }
        while let Some(prepared) = preparations.join_next().await {
            match prepared {
                Ok(Ok(offer)) => polled.offers.push(offer),
                Ok(Err(Unusable { is_token })) => {
                    polled.unusable += 1;
                    polled.without_token += usize::from(is_token);
                }
                // The panic is in the log already.
                Err(_) => polled.unusable += 1,
            }
        }
        Ok(polled)
    }

    /// Looks up the token and the details of one job. A failure costs only this job and a log line, which names the
    /// client but not its token.
    async fn offer(
        &self,
        job_id: String,
        client_id: String,
        action_type: &ActionTypeId,
        look_up: LookUp,
    ) -> Result<Offer, Unusable> {
        match self.prepare(&job_id, &client_id, look_up).await {
            Ok((details, client)) => {
                let found = offer(job_id.clone(), action_type, look_up.since, details, client);
                if found.is_none() {
                    tracing::error!(
                        jobId = job_id,
                        clientId = client_id,
                        actionType = %action_type,
                        "skipped a third-party job: its details have no nonce or no data"
                    );
                }
                found.ok_or(Unusable { is_token: false })
            }
            Err(error) => {
                let is_token = matches!(error, CallError::ClientToken { .. });
                let error = error.of(GET_DETAILS);
                tracing::error!(jobId = job_id, clientId = client_id, actionType = %action_type, %error,
                    "skipped a third-party job; the others continue");
                Err(Unusable { is_token })
            }
        }
    }

    async fn prepare(
        &self,
        job_id: &str,
        client_id: &str,
        look_up: LookUp,
    ) -> Result<(ThirdPartyJobDetails, ClientAccess), CallError> {
        let client = self.access_for(client_id, look_up).await?;
        let budget = Budget { tries: DETAILS.0, until: look_up.until, pauses: PAUSES };
        self.get_details(job_id, &client, budget, look_up).await
    }

    async fn access_for(&self, client_id: &str, look_up: LookUp) -> Result<ClientAccess, CallError> {
        let token = self.tokens.token(client_id, look_up).await.map_err(|problem| token_error(client_id, problem))?;
        Ok(ClientAccess { id: client_id.to_owned(), token })
    }

    /// The right to act for the client, for a job that another worker has polled.
    pub(super) async fn access(&self, client_id: &str, until: Instant) -> Result<ClientAccess, CallError> {
        self.access_for(client_id, LookUp::insisting(until)).await
    }

    async fn get_details(
        &self,
        job_id: &str,
        client: &ClientAccess,
        budget: Budget,
        look_up: LookUp,
    ) -> Result<(ThirdPartyJobDetails, ClientAccess), CallError> {
        let request = self.client.get_third_party_job_details().job_id(job_id);
        let with = |token: String| {
            let request = request.clone().client_token(token);
            async move { call(budget, || request.clone().send()).await }
        };
        let (responded, client) = self.with_token(client, look_up, with).await?;
        let details = responded.response.job_details.unwrap_or_else(|| ThirdPartyJobDetails::builder().build());
        Ok((details, client))
    }

    pub(super) async fn acknowledge(
        &self,
        id: &str,
        nonce: &str,
        client: &ClientAccess,
        budget: Budget,
    ) -> Result<Option<JobStatus>, GaveUp> {
        let token = client.token.expose_secret();
        let request = self.client.acknowledge_third_party_job().job_id(id).nonce(nonce).client_token(token);
        call(budget, || request.clone().send()).await.map(|responded| responded.response.status)
    }

    pub(super) async fn details(
        &self,
        id: &str,
        client: &ClientAccess,
        action_type: &ActionTypeId,
        budget: Budget,
    ) -> Result<Details, QueueError> {
        let look_up = LookUp::insisting(budget.until);
        let (details, _) =
            self.get_details(id, client, budget, look_up).await.map_err(|error| error.of(GET_DETAILS))?;
        let data = details.data.ok_or_else(|| QueueError::Refused {
            operation: GET_DETAILS,
            reason: "the response holds no job data".into(),
        })?;
        let (job, credentials) = convert::job(id.to_owned(), None, action_type, convert::JobData::from(data));
        Ok(Details { job, credentials })
    }

    /// The operation that the report takes, and its result.
    pub(super) async fn report(
        &self,
        id: &str,
        client: &ClientAccess,
        report: &Report,
        budget: Budget,
    ) -> (&'static str, Result<(), CallError>) {
        let look_up = LookUp::insisting(budget.until);
        match report {
            Report::Failure(failure) => {
                let details = convert::failure_details(failure);
                let request = self.client.put_third_party_job_failure_result().job_id(id).failure_details(details);
                let with = |token: String| {
                    let request = request.clone().client_token(token);
                    async move { call(budget, || request.clone().send()).await }
                };
                ("PutThirdPartyJobFailureResult", self.with_token(client, look_up, with).await.map(drop))
            }
            Report::Success(_) | Report::Continuation(_) => {
                let request = self.success(id, report);
                let with = |token: String| {
                    let request = request.clone().client_token(token);
                    async move { call(budget, || request.clone().send()).await }
                };
                ("PutThirdPartyJobSuccessResult", self.with_token(client, look_up, with).await.map(drop))
            }
        }
    }

    fn success(
        &self,
        id: &str,
        report: &Report,
    ) -> aws_sdk_codepipeline::operation::put_third_party_job_success_result::builders::PutThirdPartyJobSuccessResultFluentBuilder
    {
        let request = self.client.put_third_party_job_success_result().job_id(id);
        match report {
            Report::Success(success) => request
                .execution_details(convert::execution_details(&success.details))
                .set_current_revision(success.revision.as_ref().map(convert::current_revision)),
            Report::Continuation(continuation) => request
                .execution_details(convert::execution_details(&continuation.details))
                .continuation_token(&continuation.token),
            Report::Failure(_) => request,
        }
    }

    /// Calls with the client's token. If CodePipeline refuses it, fetches another one, once: it may have been replaced
    /// since it was cached. Returns the accepted token too.
    async fn with_token<T, F>(
        &self,
        client: &ClientAccess,
        look_up: LookUp,
        with: impl Fn(String) -> F,
    ) -> Result<(T, ClientAccess), CallError>
    where
        F: Future<Output = Result<T, GaveUp>>,
    {
        let unanswered_before = match with(client.token.expose_secret().to_owned()).await {
            Ok(response) => return Ok((response, client.clone())),
            Err(gave_up) if is_token_refused(&gave_up) => gave_up.unanswered_before,
            Err(gave_up) => return Err(gave_up.into()),
        };
        let token = self
            .tokens
            .replacement(&client.id, &client.token, look_up)
            .await
            .map_err(|problem| token_error(&client.id, problem))?;
        let client = ClientAccess { id: client.id.clone(), token };
        match with(client.token.expose_secret().to_owned()).await {
            Ok(response) => Ok((response, client)),
            Err(gave_up) if is_token_refused(&gave_up) => Err(token_error(&client.id, TokenProblem::Refused)),
            Err(gave_up) => {
                Err(GaveUp { unanswered_before: gave_up.unanswered_before || unanswered_before, ..gave_up }.into())
            }
        }
    }
}

/// The outcome without output variables, which third-party jobs can't report.
pub(super) fn without_variables(mut finished: Finished) -> Finished {
    let dropped = std::mem::take(&mut finished.variables).len();
    if dropped > 0 {
        tracing::warn!(dropped, "dropped output variables: third-party jobs can't report any");
    }
    finished
}

/// A job without nonce or data can't be acknowledged. The model has both optional.
fn offer(
    id: String,
    action_type: &ActionTypeId,
    polled_at: Instant,
    details: ThirdPartyJobDetails,
    client: ClientAccess,
) -> Option<Offer> {
    let (job, credentials) = convert::job(id, None, action_type, convert::JobData::from(details.data?));
    let key = JobKey { id: job.id.clone(), operations: Operations::ThirdParty(client) };
    Some(Offer { job, credentials, polled_at, nonce: details.nonce?, key })
}

fn token_error(client_id: &str, problem: TokenProblem) -> CallError {
    CallError::ClientToken { client_id: client_id.to_owned(), problem }
}
