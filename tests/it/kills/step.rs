//! The step that a worker is at, as its request shows.

use http::{Method, request::Parts};
use serde_json::Value;

use super::scenario::LEDGER;

/// A step in the life of a job, or of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Any moment, including the time before the first request.
    Anytime,
    Poll,
    Claim,
    Acknowledge,
    Hold,
    Details,
    StageIn,
    /// The action has begun. No request shows it, so the test looks for what the action leaves.
    Run,
    StageOut,
    /// The worker writes the outcome into the ledger.
    Outcome,
    Report,
    Done,
    List,
    /// The worker reads an entry.
    Look,
    Mark,
    Adopt,
    /// The worker deletes the marks of old finished jobs.
    Sweep,
    /// The worker takes a claim back.
    Delete,
    /// A request that no worker sends.
    Other,
}

impl Step {
    /// All steps at which a worker can be killed.
    pub(crate) const ALL: [Self; 18] = [
        Self::Anytime,
        Self::Poll,
        Self::Claim,
        Self::Acknowledge,
        Self::Hold,
        Self::Details,
        Self::StageIn,
        Self::Run,
        Self::StageOut,
        Self::Outcome,
        Self::Report,
        Self::Done,
        Self::List,
        Self::Look,
        Self::Mark,
        Self::Adopt,
        Self::Sweep,
        Self::Delete,
    ];

    /// The steps of an invoked job.
    pub(crate) const OF_INVOKED: [Self; 7] =
        [Self::Anytime, Self::Hold, Self::StageIn, Self::Run, Self::Outcome, Self::Report, Self::Done];

    /// The step of a request to CodePipeline or S3.
    pub(crate) fn of(head: &Parts, body: &[u8]) -> Self {
        if let Some(operation) = operation(head) {
            return match operation {
                "PollForJobs" | "PollForThirdPartyJobs" => Self::Poll,
                "AcknowledgeJob" | "AcknowledgeThirdPartyJob" => Self::Acknowledge,
                "GetJobDetails" | "GetThirdPartyJobDetails" => Self::Details,
                _ if operation.starts_with("PutJob") || operation.starts_with("PutThirdPartyJob") => Self::Report,
                _ => Self::Other,
            };
        }
        let in_ledger = head.uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(LEDGER));
        match (in_ledger, &head.method) {
            (None, &Method::GET | &Method::HEAD) => Self::StageIn,
            (None, _) => Self::StageOut,
            (Some(key), &Method::GET) => {
                if key.starts_with("/jobs/") {
                    Self::Look
                } else {
                    Self::List
                }
            }
            (Some(_), &Method::PUT) if body.is_empty() => Self::Done,
            (Some(_), &Method::PUT) => Self::of_entry(&entry(body)),
            (Some(_), &Method::DELETE) => Self::Delete,
            (Some(_), _) => Self::Sweep,
        }
    }

    fn of_entry(entry: &Value) -> Self {
        match entry["phase"].as_str() {
            Some("claiming") if entry["marked"] == true => Self::Mark,
            Some("claiming") => Self::Claim,
            Some("held") if entry["adoptions"] != 0 => Self::Adopt,
            Some("held") => Self::Hold,
            Some("reporting") => Self::Outcome,
            _ => panic!("a worker writes an unknown entry: {entry}"),
        }
    }
}

/// The CodePipeline operation of a request.
pub(crate) fn operation(head: &Parts) -> Option<&str> {
    head.headers.get("x-amz-target")?.to_str().ok()?.rsplit('.').next()
}

/// A ledger entry, as the ledger stores it.
pub(crate) fn entry(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}
