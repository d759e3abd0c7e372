//! The counts of an invocation.

use serde::Serialize;
use tokio::time::Instant;

use crate::lifecycle::End;
use crate::telemetry::milliseconds;

/// The counts of an invocation. They are its response, and after polls or a job the log has them too. Each job ends with an [`End`],
/// which this type counts.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Jobs that polls brought.
    pub polled: usize,
    /// Jobs that the worker had to report: acknowledged and held, invoked, or adopted.
    pub claimed: usize,
    /// Jobs that other workers took first, or that waited too long.
    pub lost: usize,
    /// Jobs reported as succeeded.
    pub succeeded: usize,
    /// Jobs reported as failed.
    pub failed: usize,
    /// Jobs reported with a continuation token.
    pub continued: usize,
    /// Claimed jobs that ended before their report: stopped, timed out, or finished by another worker.
    pub over: usize,
    /// Jobs whose acknowledgement is unanswered, or that the worker acknowledged but could not record in the ledger. With a ledger,
    /// a later invocation adopts both.
    pub unknown: usize,
    /// Jobs that the worker did not take because it could not reach the ledger.
    pub no_ledger: usize,
    /// Acknowledgements that CodePipeline denied. A job that is offered again at once may count more than once.
    pub denied: usize,
    /// Jobs of dead workers that this invocation adopted or tried to adopt. They also count by how they ended.
    pub adopted: usize,
    /// Claimed jobs whose report CodePipeline has not accepted.
    #[serde(rename = "undelivered")]
    pub unreported: usize,
    /// Polls without a response.
    pub failed_polls: usize,
    /// Polls that CodePipeline throttled.
    pub throttled_polls: usize,
    /// Entries of `ACTIONS` that can't be polled: no permission, no such type, a wrong `queryParam`, or too little time.
    pub unpollable: usize,
    /// Third-party jobs that the worker did not take: it has no valid client token for them, or a call got no response.
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
        // The fields have the names of the response's members.
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
            durationMs = milliseconds(began.elapsed()),
            "the invocation has ended"
        );
    }
}
