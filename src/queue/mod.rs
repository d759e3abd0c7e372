//! Where jobs come from and where their results go. The only module that names `aws_sdk_codepipeline`.
//!
//! Types carry the flow: polling gives [`Offer`]s, acknowledging an offer may give a [`Claim`], and only a claim can
//! report, which consumes it. `PutJob…Result` takes no nonce, so the service can't tell a loser from the winner; the
//! types must. A Lambda Invoke job is claimed as it comes: see [`InvokedJob`].

mod attempts;
mod client_tokens;
mod convert;
mod custom;
mod invoke;
mod secret_text;
mod third_party;

use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::config::retry::RetryConfig;
use aws_sdk_codepipeline::config::timeout::TimeoutConfig;
use aws_sdk_codepipeline::types::JobStatus;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::job::{ActionTypeId, Credentials, Job, Origin, Outcome};
use crate::report::Report;
use attempts::{Budget, FailedKind, GaveUp};
use client_tokens::ClientTokens;
use custom::CustomQueue;
use third_party::ThirdPartyQueue;

pub use client_tokens::TokenProblem;
pub use invoke::{InvalidInvokeJob, Invoked, InvokedJob, JobWithoutData};

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
/// are always kept free there are some eight of those, or two that hang.
const REPORT_TRIES: u32 = 1000;

/// The job-worker API, for every kind of job. An action type's owner tells the kind: `ThirdParty` jobs have operations of
/// their own, with client tokens; `Custom` jobs and the `AWS` owner's Lambda Invoke jobs share theirs.
#[derive(Clone)]
pub struct Queue {
    custom: CustomQueue,
    third_party: ThirdPartyQueue,
}

/// What a poll brought.
#[derive(Default)]
pub struct Polled {
    /// Jobs to acknowledge.
    pub offers: Vec<Offer>,
    /// Third-party jobs that can't be looked at, for want of a client token that the service takes or of an answer. The
    /// log says which and why; the service offers them again.
    pub unusable: usize,
}

/// A job that the service offers, to us and perhaps to others.
pub struct Offer {
    /// The job, as it was when polled.
    pub job: Job,
    /// Credentials for the job's artifacts; `None` if it has none.
    pub credentials: Option<Credentials>,
    /// When the poll that brought it was sent: its nonce and credentials are at least this old.
    pub polled_at: Instant,
    nonce: String,
    key: JobKey,
}

impl Offer {
    /// How the job came.
    pub fn origin(&self) -> Origin {
        self.key.origin()
    }
}

/// The right to report on a job, and the duty: it is not `Clone`, and reporting consumes it.
#[must_use = "a claimed job that nobody reports hangs until its action times out"]
pub struct Claim {
    key: JobKey,
}

impl Claim {
    /// What names the job to its queue, for who may look but not report.
    pub fn key(&self) -> &JobKey {
        &self.key
    }

    /// The outcome without what this kind of job can't report, so that nothing which is dropped anyway can fail the job.
    #[must_use]
    pub fn reportable(&self, outcome: Outcome) -> Outcome {
        match (&self.key.kind, outcome) {
            (Kind::ThirdParty(_), Outcome::Finished(finished)) => {
                Outcome::Finished(third_party::without_variables(finished))
            }
            (_, outcome) => outcome,
        }
    }
}

/// Names a job, and which operations it takes. Enough to ask for its details, not to report on it.
#[derive(Clone)]
pub struct JobKey {
    id: String,
    kind: Kind,
}

impl JobKey {
    /// How the job came.
    pub fn origin(&self) -> Origin {
        match &self.kind {
            Kind::Own => Origin::Polled,
            Kind::Delivered => Origin::Delivered,
            Kind::ThirdParty(client) => Origin::PolledForClient { client_id: client.id.clone() },
        }
    }
}

/// Which family of operations a job takes.
#[derive(Clone)]
enum Kind {
    /// `GetJobDetails`, `PutJob…Result`.
    Own,
    /// The same, for Lambda Invoke jobs.
    Delivered,
    /// `…ThirdPartyJob…`.
    ThirdParty(ClientAccess),
}

/// A customer's connection that a third-party job belongs to, and what proves that we may act for it.
#[derive(Clone)]
struct ClientAccess {
    id: String,
    token: SecretString,
}

/// The answer to one try at acknowledging. A reason is the service's error code or status, safe to log.
pub enum Acknowledged {
    /// `InProgress`: the job is ours, unless another was given the same answer.
    Claimed(Claim),
    /// Somebody else has it, or it is over. After an unanswered try it may be that try which was taken.
    Refused(String),
    /// The service asked us to slow down; the try had no effect.
    Throttled(String),
    /// No answer, or one that leaves open whether the job was acknowledged.
    Unanswered(String),
}

/// A job's current description: what `GetJobDetails` or `GetThirdPartyJobDetails` says now.
pub struct Details {
    /// The job.
    pub job: Job,
    /// Fresh credentials; `None` if the job has no artifacts.
    pub credentials: Option<Credentials>,
}

/// Why a call brought nothing. Each message names the service's error code, never a request or reply.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The service refused; trying the same again is no use.
    #[error("CodePipeline refused {operation}: {reason}")]
    Refused {
        /// The API operation.
        operation: &'static str,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// Every try failed in a way that may pass.
    #[error("CodePipeline did not answer {operation} in {tries} tries: {reason}")]
    Unavailable {
        /// The API operation.
        operation: &'static str,
        /// How often it was tried.
        tries: u32,
        /// What the last try met.
        reason: String,
    },
    /// The service asked us to slow down, at the last try at least.
    #[error("CodePipeline throttled {operation} ({tries} tries): {reason}")]
    Throttled {
        /// The API operation.
        operation: &'static str,
        /// How often it was tried.
        tries: u32,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// A third-party operation was not called, or was refused, for its client token.
    #[error("{operation} for client {client_id}: {problem}")]
    ClientToken {
        /// The API operation.
        operation: &'static str,
        /// Whose token: the id is public, the token is not.
        client_id: String,
        /// What is wrong with it.
        problem: TokenProblem,
    },
}

/// What became of a report.
pub enum Delivered {
    /// The service has it.
    Accepted,
    /// The service says that the job is over or gone. `doubtful` if that may be the effect of an earlier try of ours,
    /// whose answer got lost.
    AlreadyOver {
        /// Whether an earlier try may have been the one that ended the job.
        doubtful: bool,
    },
    /// The service won't take this report (a constraint of its content); the claim is still there to report with.
    Rejected {
        /// The claim, given back.
        claim: Claim,
        /// The error's code.
        reason: String,
    },
}

/// A report that could not be delivered before its deadline.
pub struct Undelivered {
    /// Why the last try failed.
    pub error: QueueError,
    /// What was to be reported: kept so that it can be named in the log.
    pub report: Report,
}

/// How a call failed, before an operation's name is put to it.
enum CallError {
    GaveUp(GaveUp),
    ClientToken { client_id: String, problem: TokenProblem },
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
        Self { custom: CustomQueue::new(client.clone()), third_party: ThirdPartyQueue::new(client, tokens) }
    }

    /// Looks at the third-party jobs of one poll for another time than 8 s: token and details of each must be there by
    /// then, or the job is left to a later poll.
    #[must_use]
    pub fn look(mut self, limit: Duration) -> Self {
        self.third_party.look = limit;
        self
    }

    /// Asks for at most `room` jobs of a type. Answers at once, with nothing if nothing is there. `query_param` is for
    /// custom types alone: the third-party operation has none.
    ///
    /// # Errors
    /// When the service refuses (a deleted type, no permission, a wrong `query_param`), throttles or does not answer.
    pub async fn poll(
        &self,
        action_type: &ActionTypeId,
        query_param: Option<&(String, String)>,
        room: usize,
    ) -> Result<Polled, QueueError> {
        if action_type.owner == "ThirdParty" {
            return self.third_party.poll(action_type, room).await;
        }
        let offers = self.custom.poll(action_type, query_param, room).await?;
        Ok(Polled { offers, unusable: 0 })
    }

    /// Asks once for the job on offer, waiting for the answer until `until`. Whoever asks again must remember an
    /// unanswered try: a refusal may be that try's effect.
    pub async fn acknowledge(&self, offer: &Offer, until: Instant) -> Acknowledged {
        let once = Budget { tries: 1, until };
        let answer = match &offer.key.kind {
            Kind::ThirdParty(client) => self.third_party.acknowledge(&offer.job.id, &offer.nonce, client, once).await,
            Kind::Own | Kind::Delivered => self.custom.acknowledge(&offer.job.id, &offer.nonce, once).await,
        };
        match answer {
            Ok(Some(JobStatus::InProgress)) => Acknowledged::Claimed(Claim { key: offer.key.clone() }),
            Ok(Some(status)) => Acknowledged::Refused(format!("the job's status is {}", status.as_str())),
            Ok(None) => Acknowledged::Refused("the answer names no status".into()),
            Err(GaveUp { last, .. }) => match last.kind {
                FailedKind::Refused => Acknowledged::Refused(last.reason),
                FailedKind::Throttled => Acknowledged::Throttled(last.reason),
                FailedKind::Doubtful => Acknowledged::Unanswered(last.reason),
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
            Origin::Delivered => Kind::Delivered,
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
        let budget = Budget { tries: DETAILS.0, until: latest.min(Instant::now() + DETAILS.1) };
        match &key.kind {
            Kind::Own => self.custom.details(&key.id, action_type, budget).await,
            Kind::Delivered => self.custom.details(&key.id, action_type, budget).await.map(invoke::as_delivered),
            Kind::ThirdParty(client) => self.third_party.details(&key.id, client, action_type, budget).await,
        }
    }

    /// Reports how the job ended. Tried until `deadline`.
    ///
    /// # Errors
    /// When no answer could be had in time, or the service refuses whoever asks (no permission, no valid client token).
    pub async fn report(&self, claim: Claim, report: Report, deadline: Instant) -> Result<Delivered, Box<Undelivered>> {
        let budget = Budget { tries: REPORT_TRIES, until: deadline };
        let (operation, result) = match &claim.key.kind {
            Kind::Own | Kind::Delivered => self.custom.report(&claim.key.id, &report, budget).await,
            Kind::ThirdParty(client) => self.third_party.report(&claim.key.id, client, &report, budget).await,
        };
        let Err(error) = result else { return Ok(Delivered::Accepted) };
        if let CallError::GaveUp(gave_up) = &error {
            match gave_up.last.code.as_deref() {
                Some("InvalidJobStateException" | "JobNotFoundException") => {
                    return Ok(Delivered::AlreadyOver { doubtful: gave_up.doubt_before });
                }
                Some("ValidationException" | "OutputVariablesSizeExceededException") => {
                    return Ok(Delivered::Rejected { claim, reason: gave_up.last.reason.clone() });
                }
                _ => {}
            }
        }
        Err(Box::new(Undelivered { error: error.of(operation), report }))
    }
}

impl From<GaveUp> for CallError {
    fn from(gave_up: GaveUp) -> Self {
        Self::GaveUp(gave_up)
    }
}

impl CallError {
    fn of(self, operation: &'static str) -> QueueError {
        match self {
            Self::ClientToken { client_id, problem } => QueueError::ClientToken { operation, client_id, problem },
            Self::GaveUp(GaveUp { last, tries, .. }) => match last.kind {
                FailedKind::Refused => QueueError::Refused { operation, reason: last.reason },
                FailedKind::Throttled => QueueError::Throttled { operation, tries, reason: last.reason },
                FailedKind::Doubtful => QueueError::Unavailable { operation, tries, reason: last.reason },
            },
        }
    }
}
