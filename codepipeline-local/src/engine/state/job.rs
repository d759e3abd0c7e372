//! Jobs.

use super::numbers::ActionNumber;
use crate::types::Timestamp;

pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) action: ActionNumber,
    pub(crate) state: JobState,
    /// The nonce of the latest offer.
    pub(crate) nonce: Option<String>,
    pub(in crate::engine) offers: u32,
    pub(crate) continuation_token: Option<String>,
    /// The earliest time of a poll that returns the job.
    pub(in crate::engine) available: Timestamp,
    pub(in crate::engine) offered: Timestamp,
    pub(in crate::engine) finished: Option<Timestamp>,
    /// The time by which the invoked function must send a result.
    pub(in crate::engine) result_deadline: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Created,
    Queued,
    Dispatched,
    InProgress,
    TimedOut,
    Succeeded,
    Failed,
}

impl JobState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Queued => "Queued",
            Self::Dispatched => "Dispatched",
            Self::InProgress => "InProgress",
            Self::TimedOut => "TimedOut",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub(in crate::engine) fn has_ended(self) -> bool {
        matches!(self, Self::TimedOut | Self::Succeeded | Self::Failed)
    }
}
