//! Which job is meant, and who may do what with it: offers, claims and keys.

use secrecy::SecretString;
use tokio::time::Instant;

use super::third_party;
use crate::job::{Credentials, Job, Origin, Outcome};

/// What a poll brought.
#[derive(Default)]
pub struct Polled {
    /// Jobs to acknowledge.
    pub offers: Vec<Offer>,
    /// Third-party jobs that can't be looked at, for want of a client token that the service takes or of an answer. The
    /// log says which and why; the service offers them again.
    pub unusable: usize,
    /// Whether the service says that no job is on offer to us. If a try before was in doubt, it may be that one which was
    /// given the jobs: then an answer without any says nothing.
    pub nothing: bool,
}

/// A job that the service offers, to us and perhaps to others.
pub struct Offer {
    /// The job, as it was when polled.
    pub job: Job,
    /// Credentials for the job's artifacts; `None` if it has none.
    pub credentials: Option<Credentials>,
    /// When the poll that brought it was sent: its nonce and credentials are at least this old.
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

/// The right to report on a job, and the duty: it is not `Clone`, and reporting consumes it.
#[must_use = "a claimed job that nobody reports hangs until its action times out"]
pub struct Claim {
    pub(super) key: JobKey,
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
    pub(super) id: String,
    pub(super) kind: Kind,
}

impl JobKey {
    /// The job's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How the job came.
    pub fn origin(&self) -> Origin {
        match &self.kind {
            Kind::Own => Origin::Polled,
            Kind::Invoked => Origin::Invoked,
            Kind::ThirdParty(client) => Origin::PolledForClient { client_id: client.id.clone() },
        }
    }
}

/// Which family of operations a job takes.
#[derive(Clone)]
pub(super) enum Kind {
    /// `GetJobDetails`, `PutJob…Result`.
    Own,
    /// The same, for Lambda Invoke jobs.
    Invoked,
    /// `…ThirdPartyJob…`.
    ThirdParty(ClientAccess),
}

/// A customer's connection that a third-party job belongs to, and what proves that we may act for it.
#[derive(Clone)]
pub(super) struct ClientAccess {
    pub(super) id: String,
    pub(super) token: SecretString,
}
