//! The source of jobs and the destination of their results. Only this module names `aws_sdk_codepipeline`.
//!
//! Types carry the flow: polling returns [`Offer`]s, acknowledging an offer may return a [`Claim`], and only a claim
//! can report, which consumes it. `PutJob…Result` takes no nonce, so CodePipeline accepts a result from a worker that
//! lost the race. The types prevent that. A Lambda Invoke job comes with its claim: see [`InvokedJob`].

mod claim;
mod client_tokens;
mod codes;
mod convert;
mod custom;
mod invoke;
mod refusals;
mod response;
mod secret_text;
mod third_party;

use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::config::retry::RetryConfig;
use aws_sdk_codepipeline::config::timeout::TimeoutConfig;
use aws_sdk_codepipeline::types::JobStatus;
use tokio::time::Instant;

use crate::calls::{self, Budget, Pauses};
use crate::job::{ActionTypeId, Origin};
use crate::report::Report;
use claim::{ClientAccess, Operations};
use client_tokens::ClientTokens;
use codes::{has_finished, is_about_content, is_not_on_offer};
use custom::CustomQueue;
use response::CallError;
use third_party::ThirdPartyQueue;

pub use claim::{Claim, JobKey, Offer, Polled};
pub use client_tokens::TokenProblem;
pub use invoke::{InvalidInvokeJob, Invoked, InvokedJob};
pub use refusals::PollRefusal;
pub use response::{Acknowledged, Details, QueueError, Reported};

/// How long one try may take. Every call here is a small JSON exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);

/// Tries and time of a poll. Three tries could take 3 × 5 s and pauses of at most 100 + 200 ms, 15.3 s in all. 8 s cut
/// them short: after a first try that hangs, the second one has 3 s. The next tick polls again. A worker polls only
/// while it has the time that a report needs, which is more than 8 s.
const POLL: (u32, Duration) = (3, Duration::from_secs(8));

/// Tries and time of a call for details. Five tries could take 5 × 5 s and pauses of at most 100 + 200 + 400 + 800 ms,
/// 26.5 s in all. 20 s or the caller's deadline cut them short, because the action's own time is running.
const DETAILS: (u32, Duration) = (5, Duration::from_secs(20));

/// A report is tried until its deadline, because without it the pipeline hangs for hours. The number of tries never
/// ends it: in Lambda's longest 15 minutes there are about 360 if each gets a response at once (seven pauses of at most
/// 11.3 s, then 2.5 s each on average). The 10 s that are always kept free hold about twelve such tries, because no
/// pause takes more than half of the time left, or two that hang.
const REPORT_TRIES: u32 = 1000;

/// The pauses of every call here.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));

fn poll_budget(polled_at: Instant) -> Budget {
    Budget { tries: POLL.0, until: polled_at + POLL.1, pauses: PAUSES }
}

/// The job-worker API for every kind of job. `ThirdParty` jobs have their own operations, with client tokens. `Custom`
/// jobs and the `AWS` owner's Lambda Invoke jobs share theirs.
#[derive(Clone)]
pub struct Queue {
    custom: CustomQueue,
    third_party: ThirdPartyQueue,
}

impl Queue {
    /// A queue with the endpoint, region and credentials of `sdk_config`. The client tokens of third-party jobs are
    /// Secrets Manager secrets, each named `client_tokens_prefix` followed by the client's id.
    pub fn new(sdk_config: &aws_config::SdkConfig, client_tokens_prefix: Option<String>) -> Self {
        let config = aws_sdk_codepipeline::config::Builder::from(sdk_config)
            .interceptor(calls::LogCalls)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_timeout(TRY).build(),
            )
            .build();
        let client = Client::from_conf(config);
        let tokens = ClientTokens::new(sdk_config.clone(), client_tokens_prefix);
        let region = sdk_config.region().map_or("this region".to_owned(), ToString::to_string);
        Self {
            custom: CustomQueue::new(client.clone(), region.clone()),
            third_party: ThirdPartyQueue::new(client, tokens, region),
        }
    }

    /// Sets how long one poll may spend on the tokens and details of its third-party jobs: 8 s by default. A later poll
    /// gets the jobs that are not ready by then.
    #[must_use]
    pub fn look_up_within(mut self, limit: Duration) -> Self {
        self.third_party.look_up_limit = limit;
        self
    }

    /// Asks for at most `room` jobs of a type. CodePipeline answers at once, also without a job. Only custom types have
    /// a `query_param`.
    ///
    /// # Errors
    /// Returns an error if CodePipeline refuses (a deleted type, no permission, a wrong `query_param`), throttles or
    /// does not answer.
    pub async fn poll(
        &self,
        action_type: &ActionTypeId,
        query_param: Option<&(String, String)>,
        room: usize,
    ) -> Result<Polled, QueueError> {
        if action_type.owner == "ThirdParty" {
            return self.third_party.poll(action_type, room).await;
        }
        self.custom.poll(action_type, query_param, room).await
    }

    /// Asks once for the job on offer, and waits for the response until `until`. A caller that tries again must remember
    /// an unanswered try, because a refusal may be its effect.
    pub async fn acknowledge(&self, offer: &Offer, until: Instant) -> Acknowledged {
        let once = Budget { tries: 1, until, pauses: PAUSES };
        let (operation, response) = match &offer.key.operations {
            Operations::ThirdParty(client) => (
                "AcknowledgeThirdPartyJob",
                self.third_party.acknowledge(&offer.job.id, &offer.nonce, client, once).await,
            ),
            Operations::Own | Operations::Invoked => {
                ("AcknowledgeJob", self.custom.acknowledge(&offer.job.id, &offer.nonce, once).await)
            }
        };
        match response {
            Ok(Some(JobStatus::InProgress)) => Acknowledged::Claimed(Claim { key: offer.key.clone() }),
            Ok(Some(status)) => Acknowledged::Refused(format!("the job's status is {}", status.as_str())),
            Ok(None) => Acknowledged::Refused("the response has no status".into()),
            Err(gave_up) => match gave_up.last.meaning {
                calls::Meaning::Refused if is_not_on_offer(&gave_up) => Acknowledged::Refused(gave_up.last.reason),
                calls::Meaning::Refused => Acknowledged::Denied(CallError::from(gave_up).of(operation)),
                calls::Meaning::Throttled => Acknowledged::Throttled(gave_up.last.reason),
                calls::Meaning::Unanswered => Acknowledged::Unanswered(gave_up.last.reason),
            },
        }
    }

    /// The claim of a job whose worker died after it had acknowledged the job. Only the ledger knows that; CodePipeline
    /// can't tell. A third-party job's client token is looked up until `until`.
    ///
    /// # Errors
    /// Returns an error if there is no such token.
    pub async fn adopt(&self, id: &str, origin: &Origin, until: Instant) -> Result<Claim, QueueError> {
        let operations = match origin {
            Origin::Polled => Operations::Own,
            Origin::Invoked => Operations::Invoked,
            Origin::PolledForClient { client_id } => {
                let access = self.third_party.access(client_id, until).await;
                Operations::ThirdParty(access.map_err(|error| error.of("adopting a job"))?)
            }
        };
        Ok(Claim { key: JobKey { id: id.to_owned(), operations } })
    }

    /// The job's current details, with fresh credentials. Tried until `latest`, and for at most 20 s.
    ///
    /// # Errors
    /// Returns an error if CodePipeline refuses the request or does not answer.
    pub async fn details(
        &self,
        key: &JobKey,
        action_type: &ActionTypeId,
        latest: Instant,
    ) -> Result<Details, QueueError> {
        let until = latest.min(Instant::now() + DETAILS.1);
        let budget = Budget { tries: DETAILS.0, until, pauses: PAUSES };
        match &key.operations {
            Operations::Own => self.custom.details(&key.id, action_type, budget).await,
            Operations::Invoked => self.custom.details(&key.id, action_type, budget).await.map(invoke::as_invoked),
            Operations::ThirdParty(client) => self.third_party.details(&key.id, client, action_type, budget).await,
        }
    }

    /// The action type of a job out of an event, if its jobs don't come in events. A caller that may invoke the
    /// function can put any job id into an event, and that must not fail another worker's job. Returns `None` if
    /// CodePipeline does not show the job, because it may not show Lambda Invoke jobs. Tried until `latest`.
    ///
    /// # Errors
    /// Returns an error if CodePipeline does not answer or refuses the worker.
    pub async fn other_type(&self, key: &JobKey, latest: Instant) -> Result<Option<ActionTypeId>, QueueError> {
        let expected = InvokedJob::action_type();
        let budget = Budget { tries: REPORT_TRIES, until: latest, pauses: PAUSES };
        match self.custom.details(&key.id, &expected, budget).await {
            Ok(details) => Ok(Some(details.job.action_type).filter(|found| *found != expected)),
            Err(QueueError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reports the job's result. Tried until `deadline`.
    ///
    /// # Errors
    /// Returns an error if no response came in time, or CodePipeline refuses the worker (no permission, no valid client
    /// token).
    pub async fn report(&self, claim: Claim, report: &Report, deadline: Instant) -> Result<Reported, QueueError> {
        let budget = Budget { tries: REPORT_TRIES, until: deadline, pauses: PAUSES };
        let (operation, result) = match &claim.key.operations {
            Operations::Own | Operations::Invoked => self.custom.report(&claim.key.id, report, budget).await,
            Operations::ThirdParty(client) => self.third_party.report(&claim.key.id, client, report, budget).await,
        };
        let Err(error) = result else { return Ok(Reported::Accepted) };
        if let CallError::GaveUp(gave_up) = &error {
            if has_finished(gave_up) {
                return Ok(Reported::AlreadyOver { unanswered_before: gave_up.unanswered_before });
            }
            if is_about_content(gave_up) {
                return Ok(Reported::Rejected { claim, reason: gave_up.last.reason.clone() });
            }
        }
        Err(error.of(operation))
    }
}
