//! What CodePipeline responds, and why it does not.

use super::codes::{GaveUp, is_not_allowed};
use super::{Claim, PollRefusal, TokenProblem};
use crate::calls::Kind;
use crate::job::{Credentials, Job};

/// The answer to one try at acknowledging. A reason is the service's error code or status, safe to log.
pub enum Acknowledged {
    /// `InProgress`: the job is ours, unless another was given the same answer.
    Claimed(Claim),
    /// Somebody else has it, or it is over. After an unanswered try it may be that try which was taken.
    Refused(String),
    /// The service refuses whoever asks, or what is asked: trying it again is no use, nor would it be for any other job.
    Denied(QueueError),
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
    /// The service refused what was asked; trying the same again is no use.
    #[error("CodePipeline refused {operation}: {reason}")]
    Refused {
        /// The API operation.
        operation: &'static str,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// The service refused whoever asks: a permission is missing, or the credentials are not valid.
    #[error(
        "CodePipeline does not allow {operation}: {reason}; check that the function's credentials are valid and that its role \
         has codepipeline:{operation} on {resource}"
    )]
    NotAllowed {
        /// The API operation.
        operation: &'static str,
        /// What its permission can be restricted to ("Actions, resources, and condition keys for AWS CodePipeline").
        resource: &'static str,
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
    /// The service can't be polled for the type as it is configured.
    #[error(transparent)]
    Poll(#[from] PollRefusal),
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

impl QueueError {
    /// Whether the same call may succeed later, without a change of the configuration or of a permission.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Throttled { .. })
    }
}

/// What became of a report.
pub enum Reported {
    /// The service has it.
    Accepted,
    /// The service says that the job is over or gone. `doubtful` if that may be the effect of an earlier try of ours,
    /// whose answer got lost.
    AlreadyOver {
        /// Whether an earlier try may have been the one that ended the job.
        unanswered_before: bool,
    },
    /// The service won't take this report (a constraint of its content); the claim is still there to report with.
    Rejected {
        /// The claim, given back.
        claim: Claim,
        /// The error's code.
        reason: String,
    },
}

/// How a call failed, before an operation's name is put to it.
pub(super) enum CallError {
    GaveUp(GaveUp),
    ClientToken { client_id: String, problem: TokenProblem },
}

impl From<GaveUp> for CallError {
    fn from(gave_up: GaveUp) -> Self {
        Self::GaveUp(gave_up)
    }
}

impl CallError {
    pub(super) fn of(self, operation: &'static str) -> QueueError {
        match self {
            Self::ClientToken { client_id, problem } => QueueError::ClientToken { operation, client_id, problem },
            Self::GaveUp(gave_up) => {
                let is_not_allowed = is_not_allowed(&gave_up);
                let GaveUp { last, tries, .. } = gave_up;
                let reason = last.reason;
                match last.kind {
                    Kind::Refused if is_not_allowed => {
                        let resource = if operation == "PollForJobs" { "the action type" } else { "`*`" };
                        QueueError::NotAllowed { operation, resource, reason }
                    }
                    Kind::Refused => QueueError::Refused { operation, reason },
                    Kind::Throttled => QueueError::Throttled { operation, tries, reason },
                    Kind::Unanswered => QueueError::Unavailable { operation, tries, reason },
                }
            }
        }
    }
}
