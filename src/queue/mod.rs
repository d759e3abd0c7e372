//! Where jobs come from and where their results go. The only module that names `aws_sdk_codepipeline`.
//!
//! Types carry the flow: polling gives [`Offer`]s, acknowledging an offer may give a [`Claim`], and only a claim can
//! report, which consumes it. `PutJob…Result` takes no nonce, so the service can't tell a loser from the winner; the
//! types must.

mod attempts;
mod convert;
pub mod custom;

use tokio::time::Instant;

use crate::job::{Credentials, Job};
use crate::report::Report;

/// A job that the service offers, to us and perhaps to others.
pub struct Offer {
    /// The job, as it was when polled.
    pub job: Job,
    /// Credentials for the job's artifacts; `None` if it has none.
    pub credentials: Option<Credentials>,
    /// When the poll that brought it was sent: its nonce and credentials are at least this old.
    pub polled_at: Instant,
    nonce: String,
}

/// The right to report on a job, and the duty: it is not `Clone`, and reporting consumes it.
#[must_use = "a claimed job that nobody reports hangs until its action times out"]
pub struct Claim {
    job_id: String,
}

/// The service's answer to an acknowledgement.
pub enum Acknowledged {
    /// `InProgress`: the job is ours.
    Claimed(Claim),
    /// Somebody else has it, or it is over. The reason is the service's error code or status, safe to log.
    Refused(String),
    /// Refused or unanswered while an earlier try may have succeeded: nobody knows whose it is.
    Unknown(String),
}

/// A job's current description: what `GetJobDetails` says now.
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
