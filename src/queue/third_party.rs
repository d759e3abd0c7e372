//! Third-party jobs: `PollForThirdPartyJobs`, `GetThirdPartyJobDetails`, `AcknowledgeThirdPartyJob`,
//! `PutThirdPartyJobSuccessResult`, `PutThirdPartyJobFailureResult`.
//!
//! A poll brings ids only: whose job it is (the client id) and which. What there is to do, and the nonce, come from the
//! details, which want that client's token.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{JobStatus, ThirdPartyJobDetails};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use super::client_tokens::{Asking, ClientTokens, TokenProblem};
use super::codes::{GaveUp, call, is_token_refused};
use super::refusals::Asked;
use super::{
    CallError, ClientAccess, DETAILS, Details, JobKey, Kind, Offer, PAUSES, Polled, QueueError, convert, poll_budget,
};
use crate::calls::Budget;
use crate::job::{ActionTypeId, Finished};
use crate::report::Report;

/// How long the jobs of one poll may be looked at, token and details together: whoever does not answer by then costs its
/// own job, not the batch. With the poll's own 8 s this leaves 9 s of the 25 s for the claim in the ledger, which must stand
/// within 20 s, and for acknowledging.
pub(super) const LOOK: Duration = Duration::from_secs(8);

const GET_DETAILS: &str = "GetThirdPartyJobDetails";

/// The job-worker API for partners' action types.
#[derive(Clone)]
pub(super) struct ThirdPartyQueue {
    client: Client,
    tokens: Arc<ClientTokens>,
    /// Where the action types are, for messages.
    region: String,
    pub(super) look: Duration,
}

impl ThirdPartyQueue {
    pub(super) fn new(client: Client, tokens: ClientTokens, region: String) -> Self {
        Self { client, tokens: Arc::new(tokens), region, look: LOOK }
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
        let asked = Asked { operation, action_type, query_param: None, region: &self.region };
        let answered = call(budget, || request.clone().send()).await.map_err(|gave_up| asked.failed(gave_up))?;
        let jobs = answered.response.jobs.unwrap_or_default();
        let mut polled = Polled { nothing: jobs.is_empty() && !answered.unanswered_before, ..Polled::default() };

        // Side by side: the whole batch is to be acknowledged within the same 25 s. A client whose token can't be had is
        // not asked for again in this poll.
        let asking = Asking { until: Instant::now() + self.look, since: polled_at, insists: false };
        let mut looking = JoinSet::new();
        for job in jobs {
            let (Some(job_id), Some(client_id)) = (job.job_id, job.client_id) else { continue };
            let (queue, action_type) = (self.clone(), action_type.clone());
            let looking_at = async move { queue.offer(job_id, client_id, &action_type, asking).await };
            looking.spawn(looking_at.in_current_span());
        }
        while let Some(looked) = looking.join_next().await {
            match looked {
                Ok(Some(offer)) => polled.offers.push(offer),
                // A panic has been logged by whoever panicked.
                Ok(None) | Err(_) => polled.unusable += 1,
            }
        }
        Ok(polled)
    }

    /// Whatever is wrong with one job costs that job alone: a log line, which names the client and never its token.
    async fn offer(
        &self,
        job_id: String,
        client_id: String,
        action_type: &ActionTypeId,
        asking: Asking,
    ) -> Option<Offer> {
        match self.look(&job_id, &client_id, asking).await {
            Ok((details, client)) => {
                let found = offer(job_id, action_type, asking.since, details, client);
                if found.is_none() {
                    tracing::error!(client.id = client_id, "a third-party job's details hold no nonce or no data");
                }
                found
            }
            Err(error) => {
                // A metric filter on the log group counts the lines that have this field.
                let is_token = matches!(error, CallError::ClientToken { .. });
                let metric = is_token.then_some("ClientTokenProblems");
                let error = error.of(GET_DETAILS);
                tracing::error!(metric, job.id = job_id, client.id = client_id, action.type = %action_type, %error,
                    "left a third-party job alone; the others go on");
                None
            }
        }
    }

    async fn look(
        &self,
        job_id: &str,
        client_id: &str,
        asking: Asking,
    ) -> Result<(ThirdPartyJobDetails, ClientAccess), CallError> {
        let client = self.access_for(client_id, asking).await?;
        let budget = Budget { tries: DETAILS.0, until: asking.until, pauses: PAUSES };
        self.get_details(job_id, &client, budget, asking).await
    }

    async fn access_for(&self, client_id: &str, asking: Asking) -> Result<ClientAccess, CallError> {
        let token = self.tokens.token(client_id, asking).await.map_err(|problem| token_error(client_id, problem))?;
        Ok(ClientAccess { id: client_id.to_owned(), token })
    }

    /// What proves that we may act for the client, for a job that another worker looked at.
    pub(super) async fn access(&self, client_id: &str, until: Instant) -> Result<ClientAccess, CallError> {
        self.access_for(client_id, Asking::insisting(until)).await
    }

    async fn get_details(
        &self,
        job_id: &str,
        client: &ClientAccess,
        budget: Budget,
        asking: Asking,
    ) -> Result<(ThirdPartyJobDetails, ClientAccess), CallError> {
        let request = self.client.get_third_party_job_details().job_id(job_id);
        let with = |token: String| {
            let request = request.clone().client_token(token);
            async move { call(budget, || request.clone().send()).await }
        };
        let (answered, client) = self.with_token(client, asking, with).await?;
        let details = answered.response.job_details.unwrap_or_else(|| ThirdPartyJobDetails::builder().build());
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
        call(budget, || request.clone().send()).await.map(|answered| answered.response.status)
    }

    pub(super) async fn details(
        &self,
        id: &str,
        client: &ClientAccess,
        action_type: &ActionTypeId,
        budget: Budget,
    ) -> Result<Details, QueueError> {
        let asking = Asking::insisting(budget.until);
        let (details, _) = self.get_details(id, client, budget, asking).await.map_err(|error| error.of(GET_DETAILS))?;
        let data = details.data.ok_or_else(|| QueueError::Refused {
            operation: GET_DETAILS,
            reason: "the answer holds no job data".into(),
        })?;
        let (job, credentials) = convert::job(id.to_owned(), None, action_type, convert::JobData::from(data));
        Ok(Details { job, credentials })
    }

    /// The operation that the report takes, and what became of it.
    pub(super) async fn report(
        &self,
        id: &str,
        client: &ClientAccess,
        report: &Report,
        budget: Budget,
    ) -> (&'static str, Result<(), CallError>) {
        let asking = Asking::insisting(budget.until);
        match report {
            Report::Failure(failure) => {
                let details = convert::failure_details(failure);
                let request = self.client.put_third_party_job_failure_result().job_id(id).failure_details(details);
                let with = |token: String| {
                    let request = request.clone().client_token(token);
                    async move { call(budget, || request.clone().send()).await }
                };
                ("PutThirdPartyJobFailureResult", self.with_token(client, asking, with).await.map(drop))
            }
            Report::Success(_) | Report::Continuation(_) => {
                let request = self.success(id, report);
                let with = |token: String| {
                    let request = request.clone().client_token(token);
                    async move { call(budget, || request.clone().send()).await }
                };
                ("PutThirdPartyJobSuccessResult", self.with_token(client, asking, with).await.map(drop))
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
            Report::Continuation(going_on) => request
                .execution_details(convert::execution_details(&going_on.details))
                .continuation_token(&going_on.token),
            Report::Failure(_) => request,
        }
    }

    /// Calls with the client's token. If the service refuses the token another is fetched, once: it may have been replaced
    /// since we cached it. Gives the token that was taken.
    async fn with_token<T, F>(
        &self,
        client: &ClientAccess,
        asking: Asking,
        with: impl Fn(String) -> F,
    ) -> Result<(T, ClientAccess), CallError>
    where
        F: Future<Output = Result<T, GaveUp>>,
    {
        let unanswered_before = match with(client.token.expose_secret().to_owned()).await {
            Ok(answer) => return Ok((answer, client.clone())),
            Err(gave_up) if is_token_refused(&gave_up) => gave_up.unanswered_before,
            Err(gave_up) => return Err(gave_up.into()),
        };
        let token = self
            .tokens
            .replacement(&client.id, &client.token, asking)
            .await
            .map_err(|problem| token_error(&client.id, problem))?;
        let client = ClientAccess { id: client.id.clone(), token };
        match with(client.token.expose_secret().to_owned()).await {
            Ok(answer) => Ok((answer, client)),
            Err(gave_up) if is_token_refused(&gave_up) => Err(token_error(&client.id, TokenProblem::Refused)),
            Err(gave_up) => {
                Err(GaveUp { unanswered_before: gave_up.unanswered_before || unanswered_before, ..gave_up }.into())
            }
        }
    }
}

/// The work's result without output variables, which the API of third-party jobs has no member for.
pub(super) fn without_variables(mut finished: Finished) -> Finished {
    let dropped = std::mem::take(&mut finished.variables).len();
    if dropped > 0 {
        tracing::warn!(
            dropped,
            "third-party jobs have no output variables: CodePipeline's API takes none, so these are dropped"
        );
    }
    finished
}

/// A job without nonce or data can't be acknowledged; the model makes both optional.
fn offer(
    id: String,
    action_type: &ActionTypeId,
    polled_at: Instant,
    details: ThirdPartyJobDetails,
    client: ClientAccess,
) -> Option<Offer> {
    let (job, credentials) = convert::job(id, None, action_type, convert::JobData::from(details.data?));
    let key = JobKey { id: job.id.clone(), kind: Kind::ThirdParty(client) };
    Some(Offer { job, credentials, polled_at, nonce: details.nonce?, key })
}

fn token_error(client_id: &str, problem: TokenProblem) -> CallError {
    CallError::ClientToken { client_id: client_id.to_owned(), problem }
}
