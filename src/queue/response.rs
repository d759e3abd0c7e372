//! Responses of CodePipeline, and errors.

use super::codes::{GaveUp, is_not_allowed};
use super::{Claim, PollRefusal, TokenProblem};
use crate::calls::Meaning;
use crate::job::{Credentials, Job};

/// The response to one try to acknowledge a job. A reason is an error code or status, safe to log.
pub enum Acknowledged {
    /// `InProgress`: the job is ours, unless another worker received the same response.
    Claimed(Claim),
    /// Another worker has the job, or it has finished. After an unanswered try, that try may have taken it.
    Refused(String),
    /// CodePipeline refuses the worker or the request. Trying again does not help, for this job or another.
    Denied(QueueError),
    /// CodePipeline throttled the try, which had no effect.
    Throttled(String),
    /// No response, or one that does not say whether the job was acknowledged.
    Unanswered(String),
}

/// A job's current details: the response of `GetJobDetails` or `GetThirdPartyJobDetails`.
pub struct Details {
    /// The job.
    pub job: Job,
    /// Fresh credentials; `None` if the job has no artifacts.
    pub credentials: Option<Credentials>,
}

/// Why a call failed. A message holds CodePipeline's error code, never a request or response.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// CodePipeline refused the request. Trying again does not help.
    #[error("CodePipeline refused {operation}: {reason}")]
    Refused {
        /// The API operation.
        operation: &'static str,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// CodePipeline refused the worker: it lacks a permission or valid credentials.
    #[error(
        "CodePipeline denied {operation}: {reason}; check that the function's credentials are valid and that its role \
         has codepipeline:{operation} on {resource}"
    )]
    NotAllowed {
        /// The API operation.
        operation: &'static str,
        /// The resource that the operation's permission can be restricted to ("Actions, resources, and condition keys
        /// for AWS CodePipeline").
        resource: &'static str,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// No try got a response; a later call may succeed.
    #[error("{}", unavailable(operation, *tries, reason))]
    Unavailable {
        /// The API operation.
        operation: &'static str,
        /// How often it was tried.
        tries: u32,
        /// How the last try failed.
        reason: String,
    },
    /// CodePipeline throttled the last try.
    #[error("CodePipeline throttled {operation} ({tries} tries): {reason}")]
    Throttled {
        /// The API operation.
        operation: &'static str,
        /// How often it was tried.
        tries: u32,
        /// The error's code and HTTP status.
        reason: String,
    },
    /// The type can't be polled with this configuration.
    #[error(transparent)]
    Poll(#[from] PollRefusal),
    /// The client token is missing, or CodePipeline refused it.
    #[error("{operation} for client {client_id}: {problem}")]
    ClientToken {
        /// The API operation.
        operation: &'static str,
        /// The client's id, which is public. The token is not.
        client_id: String,
        /// The reason.
        problem: TokenProblem,
    },
}

fn unavailable(operation: &str, tries: u32, reason: &str) -> String {
    match tries {
        0 => format!("no time was left to call CodePipeline's {operation}"),
        _ => format!("CodePipeline did not answer {operation} in {tries} tries: {reason}"),
    }
}

impl QueueError {
    /// Whether the same call may succeed later, without a change of configuration or permissions.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Throttled { .. })
    }
}

/// The result of a report.
pub enum Reported {
    /// CodePipeline accepted it.
    Accepted,
    /// CodePipeline says that the job has finished or does not exist.
    AlreadyOver {
        /// Whether an earlier, unanswered try of this report may have finished the job.
        unanswered_before: bool,
    },
    /// CodePipeline does not accept the report's content. The claim can report something else.
    Rejected {
        /// The claim, given back.
        claim: Claim,
        /// The error's code and HTTP status.
        reason: String,
    },
}

/// An error without the name of its operation.
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
                match last.meaning {
                    Meaning::Refused if is_not_allowed => {
                        let resource = if operation == "PollForJobs" { "the action type" } else { "`*`" };
                        QueueError::NotAllowed { operation, resource, reason }
                    }
                    Meaning::Refused => QueueError::Refused { operation, reason },
                    Meaning::Throttled => QueueError::Throttled { operation, tries, reason },
                    Meaning::Unanswered => QueueError::Unavailable { operation, tries, reason },
                }
            }
        }
    }
}
