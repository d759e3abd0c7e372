//! The work of an invocation, counted.

use serde::Serialize;
use tokio::time::Instant;

use crate::lifecycle::End;

/// The counts of an invocation: its answer, and the last line of its log.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Jobs that polls brought.
    pub polled: usize,
    /// Jobs that were ours to bring to an end: acknowledged and held, delivered, or adopted.
    pub claimed: usize,
    /// Jobs that others took first, or that waited too long.
    pub lost: usize,
    /// Jobs reported as succeeded.
    pub succeeded: usize,
    /// Jobs reported as failed.
    pub failed: usize,
    /// Jobs reported with a continuation token.
    pub continued: usize,
    /// Claimed jobs that were over before they could be reported: stopped, timed out, or finished by another.
    pub over: usize,
    /// Jobs of which nobody knows whether they were acknowledged: an answer got lost. Also jobs that were, which the ledger
    /// could not be told. With a ledger a later invocation adopts both.
    pub unknown: usize,
    /// Jobs that were left alone because the ledger could not be reached.
    pub no_ledger: usize,
    /// Acknowledgements that CodePipeline did not let us make. A job that is offered again at once may count more than once.
    pub denied: usize,
    /// Jobs that were adopted, or could not be for want of what it takes: the worker that had them died. They are counted by how
    /// they ended as well.
    pub adopted: usize,
    /// Claimed jobs whose report the service has not taken.
    #[serde(rename = "undelivered")]
    pub unreported: usize,
    /// Polls that brought no answer.
    pub failed_polls: usize,
    /// Polls that CodePipeline throttled.
    pub throttled_polls: usize,
    /// Entries of `ACTIONS` that can't be polled: no permission, no such type, a wrong `queryParam`, or too little time.
    pub unpollable: usize,
    /// Third-party jobs that were left alone: no client token for them that the service takes, or no answer.
    pub unusable: usize,
    /// Actions whose work outside was stopped because they were abandoned or cancelled.
    pub stopped: usize,
}

impl Summary {
    pub(super) fn count(&mut self, end: End) {
        self.claimed += usize::from(!matches!(end, End::Lost | End::Unknown | End::NoLedger | End::Denied));
        let counter = match end {
            End::Lost => &mut self.lost,
            End::Unknown => &mut self.unknown,
            End::NoLedger => &mut self.no_ledger,
            End::Denied => &mut self.denied,
            End::Over => &mut self.over,
            End::Succeeded => &mut self.succeeded,
            End::Failed => &mut self.failed,
            End::Continued => &mut self.continued,
            End::Unreported => &mut self.unreported,
        };
        *counter += 1;
    }

    pub(super) fn log(&self, began: Instant) {
        // The members of the answer, by the same names.
        tracing::info!(
            polled = self.polled,
            claimed = self.claimed,
            lost = self.lost,
            succeeded = self.succeeded,
            failed = self.failed,
            continued = self.continued,
            over = self.over,
            unknown = self.unknown,
            noLedger = self.no_ledger,
            denied = self.denied,
            adopted = self.adopted,
            undelivered = self.unreported,
            failedPolls = self.failed_polls,
            throttledPolls = self.throttled_polls,
            unpollable = self.unpollable,
            unusable = self.unusable,
            stopped = self.stopped,
            durationMs = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "the invocation has ended"
        );
    }
}
