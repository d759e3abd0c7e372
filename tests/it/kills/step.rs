//! What a worker is about, told from a request of its.

use http::{Method, request::Parts};
use serde_json::Value;

use super::scenario::LEDGER;

/// A step in the life of a job, or of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Any moment, before the first request too.
    Anytime,
    Poll,
    Claim,
    Acknowledge,
    Hold,
    Details,
    StageIn,
    /// The action has begun. It is no request: who waits for it looks for what the action leaves.
    Run,
    StageOut,
    /// The outcome is written into the ledger.
    Outcome,
    Report,
    Done,
    List,
    /// An entry is read.
    Look,
    Mark,
    Adopt,
    /// Marks of jobs that are long done are cleared away.
    Sweep,
    /// A claim is taken back.
    Delete,
    /// What no worker asks for.
    Other,
}

impl Step {
    /// All that a worker can be killed at.
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

    /// Those in the life of a job that is delivered and not polled.
    pub(crate) const OF_DELIVERED: [Self; 7] =
        [Self::Anytime, Self::Hold, Self::StageIn, Self::Run, Self::Outcome, Self::Report, Self::Done];

    /// Of a request to CodePipeline or S3.
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
            _ => panic!("a worker writes an entry that nobody knows: {entry}"),
        }
    }
}

/// The operation of CodePipeline's that a request asks for.
pub(crate) fn operation(head: &Parts) -> Option<&str> {
    head.headers.get("x-amz-target")?.to_str().ok()?.rsplit('.').next()
}

/// A ledger entry, as it is written.
pub(crate) fn entry(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}
