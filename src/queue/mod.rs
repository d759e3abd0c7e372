//! Where jobs come from and where their results go. The only module that names `aws_sdk_codepipeline`.
//!
//! Types carry the flow: polling gives [`Offer`]s, acknowledging an offer may give a [`Claim`], and only a claim can
//! report, which consumes it. `PutJob…Result` takes no nonce, so the service can't tell a loser from the winner; the
//! types must. A Lambda Invoke job is claimed as it comes: see [`InvokedJob`].

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
use claim::{ClientAccess, Kind};
use client_tokens::ClientTokens;
use codes::{is_about_content, is_not_on_offer, is_over};
use custom::CustomQueue;
use response::CallError;
use third_party::ThirdPartyQueue;

pub use claim::{Claim, JobKey, Offer, Polled};
pub use client_tokens::TokenProblem;
pub use invoke::{InvalidInvokeJob, Invoked, InvokedJob};
pub use refusals::PollRefusal;
pub use response::{Acknowledged, Details, QueueError, Reported};

/// How long one try may take. Everything here is a small JSON exchange that takes tens of milliseconds.
const TRY: Duration = Duration::from_secs(5);

/// A poll is tried three times: 3 × 5 s and pauses of at most 100 + 200 ms would be 15.3 s, which 8 s cut short, so that a
/// first try that hangs leaves the second one 3 s. The next schedule tick polls again. Nobody polls with less time left than
/// a report needs, which is more than 8 s.
const POLL: (u32, Duration) = (3, Duration::from_secs(8));

/// Details are tried five times: 5 × 5 s and pauses of at most 100 + 200 + 400 + 800 ms would be 26.5 s, which 20 s cut
/// short, or the moment that the caller names; the action's own time is running meanwhile.
const DETAILS: (u32, Duration) = (5, Duration::from_secs(20));

/// A report is tried longest, until its deadline: without it the pipeline hangs for hours. The count never ends it: the first
/// seven pauses are 100 + 200 + … + 5000 ms = 11.3 s at most, half of that on average, and each further one 2.5 s on
/// average, so that in Lambda's longest 15 minutes there are some 360 tries if each is answered at once. In the 10 s that
/// are always kept free there are some twelve of those, since no pause takes more than half of what is left, or two that hang.
const REPORT_TRIES: u32 = 1000;

/// The pauses of every call here.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));

fn poll_budget(polled_at: Instant) -> Budget {
    Budget { tries: POLL.0, until: polled_at + POLL.1, pauses: PAUSES }
}

/// The job-worker API, for every kind of job. An action type's owner tells the kind: `ThirdParty` jobs have operations of
/// their own, with client tokens; `Custom` jobs and the `AWS` owner's Lambda Invoke jobs share theirs.
#[derive(Clone)]
pub struct Queue {
    custom: CustomQueue,
    third_party: ThirdPartyQueue,
}

impl Queue {
    /// A queue that talks to the endpoint, in the region and with the credentials that `shared` holds. Third-party jobs'
    /// client tokens are the Secrets Manager secrets whose names are `client_tokens_prefix` and the client's id.
    pub fn new(shared: &aws_config::SdkConfig, client_tokens_prefix: Option<String>) -> Self {
        let config = aws_sdk_codepipeline::config::Builder::from(shared)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).operation_timeout(TRY).build(),
            )
            .build();
        let client = Client::from_conf(config);
        let tokens = ClientTokens::new(shared.clone(), client_tokens_prefix);
        let region = shared.region().map_or("this region".to_owned(), ToString::to_string);
        Self {
            custom: CustomQueue::new(client.clone(), region.clone()),
            third_party: ThirdPartyQueue::new(client, tokens, region),
        }
    }

    /// Looks at the third-party jobs of one poll for another time than 8 s: token and details of each must be there by
    /// then, or the job is left to a later poll.
    #[must_use]
    pub fn look_up_within(mut self, limit: Duration) -> Self {
        self.third_party.look = limit;
        self
    }

    /// Asks for at most `room` jobs of a type. Answers at once, with nothing if nothing is there. `query_param` is for
    /// custom types alone: the third-party operation has none.
    ///
    /// # Errors
    /// Returns an error if the service refuses (a deleted type, no permission, a wrong `query_param`), throttles or does not
    /// answer.
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

    /// Asks once for the job on offer, waiting for the answer until `until`. Whoever asks again must remember an
    /// unanswered try: a refusal may be that try's effect.
    pub async fn acknowledge(&self, offer: &Offer, until: Instant) -> Acknowledged {
        let once = Budget { tries: 1, until, pauses: PAUSES };
        let (operation, answer) = match &offer.key.kind {
            Kind::ThirdParty(client) => (
                "AcknowledgeThirdPartyJob",
                self.third_party.acknowledge(&offer.job.id, &offer.nonce, client, once).await,
            ),
            Kind::Own | Kind::Invoked => {
                ("AcknowledgeJob", self.custom.acknowledge(&offer.job.id, &offer.nonce, once).await)
            }
        };
        match answer {
            Ok(Some(JobStatus::InProgress)) => Acknowledged::Claimed(Claim { key: offer.key.clone() }),
            Ok(Some(status)) => Acknowledged::Refused(format!("the job's status is {}", status.as_str())),
            Ok(None) => Acknowledged::Refused("the answer names no status".into()),
            Err(gave_up) => match gave_up.last.kind {
                calls::Kind::Refused if is_not_on_offer(&gave_up) => Acknowledged::Refused(gave_up.last.reason),
                calls::Kind::Refused => Acknowledged::Denied(CallError::from(gave_up).of(operation)),
                calls::Kind::Throttled => Acknowledged::Throttled(gave_up.last.reason),
                calls::Kind::Unanswered => Acknowledged::Unanswered(gave_up.last.reason),
            },
        }
    }

    /// The claim of a job that another worker acknowledged, which is dead: the ledger says so, the service can't tell. A
    /// third-party job's client token is looked up until `until`.
    ///
    /// # Errors
    /// When there is no such token.
    pub async fn adopt(&self, id: &str, origin: &Origin, until: Instant) -> Result<Claim, QueueError> {
        let kind = match origin {
            Origin::Polled => Kind::Own,
            Origin::Invoked => Kind::Invoked,
            Origin::PolledForClient { client_id } => {
                let access = self.third_party.access(client_id, until).await;
                Kind::ThirdParty(access.map_err(|error| error.of("adopting a job"))?)
            }
        };
        Ok(Claim { key: JobKey { id: id.to_owned(), kind } })
    }

    /// What the job looks like now, with fresh credentials. Tried until `latest`, and for 20 s at most.
    ///
    /// # Errors
    /// When the service refuses or does not answer.
    pub async fn details(
        &self,
        key: &JobKey,
        action_type: &ActionTypeId,
        latest: Instant,
    ) -> Result<Details, QueueError> {
        let until = latest.min(Instant::now() + DETAILS.1);
        let budget = Budget { tries: DETAILS.0, until, pauses: PAUSES };
        match &key.kind {
            Kind::Own => self.custom.details(&key.id, action_type, budget).await,
            Kind::Invoked => self.custom.details(&key.id, action_type, budget).await.map(invoke::as_invoked),
            Kind::ThirdParty(client) => self.third_party.details(&key.id, client, action_type, budget).await,
        }
    }

    /// What type the action of a delivered job has, if that is none that jobs are delivered of: whoever may invoke the function
    /// can put any job's id into an event, and no other worker's job is to fail for that. One that the service does not show
    /// counts as delivered, since nothing says that it shows those. Tried until `latest`.
    ///
    /// # Errors
    /// When the service does not answer or refuses whoever asks.
    pub async fn other_type(&self, key: &JobKey, latest: Instant) -> Result<Option<ActionTypeId>, QueueError> {
        let expected = InvokedJob::action_type();
        let budget = Budget { tries: REPORT_TRIES, until: latest, pauses: PAUSES };
        match self.custom.details(&key.id, &expected, budget).await {
            Ok(details) => Ok(Some(details.job.action_type).filter(|found| *found != expected)),
            Err(QueueError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reports how the job ended. Tried until `deadline`.
    ///
    /// # Errors
    /// When no answer could be had in time, or the service refuses whoever asks (no permission, no valid client token).
    pub async fn report(&self, claim: Claim, report: &Report, deadline: Instant) -> Result<Reported, QueueError> {
        let budget = Budget { tries: REPORT_TRIES, until: deadline, pauses: PAUSES };
        let (operation, result) = match &claim.key.kind {
            Kind::Own | Kind::Invoked => self.custom.report(&claim.key.id, report, budget).await,
            Kind::ThirdParty(client) => self.third_party.report(&claim.key.id, client, report, budget).await,
        };
        let Err(error) = result else { return Ok(Reported::Accepted) };
        if let CallError::GaveUp(gave_up) = &error {
            if is_over(gave_up) {
                return Ok(Reported::AlreadyOver { unanswered_before: gave_up.unanswered_before });
            }
            if is_about_content(gave_up) {
                return Ok(Reported::Rejected { claim, reason: gave_up.last.reason.clone() });
            }
        }
        Err(error.of(operation))
    }
}
