//! Offers, claims and keys: which job is meant, and what a caller may do with it.

use secrecy::SecretString;
use tokio::time::Instant;

use super::third_party;
use crate::job::{Credentials, Job, Origin, Outcome};

/// The result of a poll.
#[derive(Default)]
pub struct Polled {
    /// Jobs to acknowledge.
    pub offers: Vec<Offer>,
    /// Third-party jobs without a valid client token, or whose details did not come. The log says which and why;
    /// CodePipeline offers them again.
    pub unusable: usize,
    /// How many of the unusable jobs have no valid client token.
    pub without_token: usize,
    /// Whether CodePipeline says that it offers no job. An empty response after an unanswered try does not count: that
    /// try may have received the jobs.
    pub nothing: bool,
}

/// A job that CodePipeline offers, to this worker and perhaps to others.
pub struct Offer {
    /// The job at the time of the poll.
    pub job: Job,
    /// Credentials for the job's artifacts; `None` if it has none.
    pub credentials: Option<Credentials>,
    /// When the poll was sent. The nonce and the credentials are at least this old.
    pub polled_at: Instant,
    pub(super) nonce: String,
    pub(super) key: JobKey,
}

impl Offer {
    /// How the job came.
    pub fn origin(&self) -> Origin {
        self.key.origin()
    }
}

/// The right and the duty to report on a job. It is not `Clone`, and reporting consumes it.
#[must_use = "a claimed job without a report hangs until its action times out"]
pub struct Claim {
    pub(super) key: JobKey,
}

impl Claim {
    /// The job's key, for callers that only ask for details.
    pub fn key(&self) -> &JobKey {
        &self.key
    }

    /// The outcome without what this kind of job can't report. CodePipeline would drop that part anyway, so it must not
    /// fail the job.
    #[must_use]
    pub fn reportable(&self, outcome: Outcome) -> Outcome {
        match (&self.key.operations, outcome) {
            (Operations::ThirdParty(_), Outcome::Finished(finished)) => {
                Outcome::Finished(third_party::without_variables(finished))
            }
            (_, outcome) => outcome,
        }
    }
}

/// Names a job and the operations that it takes. Enough to ask for its details, but not to report on it.
#[derive(Clone)]
pub struct JobKey {
    pub(super) id: String,
    pub(super) operations: Operations,
}

impl JobKey {
    /// The job's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How the job came.
    pub fn origin(&self) -> Origin {
        match &self.operations {
            Operations::Own => Origin::Polled,
            Operations::Invoked => Origin::Invoked,
            Operations::ThirdParty(client) => Origin::PolledForClient { client_id: client.id.clone() },
        }
    }
}

/// The family of operations that a job takes.
#[derive(Clone)]
pub(super) enum Operations {
    /// `GetJobDetails`, `PutJob…Result`.
    Own,
    /// The same, for a Lambda Invoke job.
    Invoked,
    /// `…ThirdPartyJob…`.
    ThirdParty(ClientAccess),
}

/// A customer's connection that a third-party job belongs to, and the token that lets the worker act for that customer.
#[derive(Clone)]
pub(super) struct ClientAccess {
    pub(super) id: String,
    pub(super) token: SecretString,
}
