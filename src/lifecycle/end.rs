//! How a worker's part in a job ended, as the invocation's summary counts it.
//!
//! The protocol has its own type for this, [`Exit`], because the model checker distinguishes ends that a summary counts as one,
//! and because the protocol does not know what a report says. The exit of a job that the worker neither holds nor adopts becomes
//! an [`End`] here. After a report, CodePipeline's response decides.

use super::protocol::Exit;
use crate::metrics::JobMeter;

/// How a worker's part in a job ended, as the invocation's summary counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Another worker has the job. This one ran and reported nothing.
    Lost,
    /// An acknowledgement is unanswered, or the worker could not record in the ledger that it holds the job. It ran and reported
    /// nothing.
    Unknown,
    /// The ledger could not be reached, so the worker did not acknowledge, run or report the job.
    NoLedger,
    /// CodePipeline denied the acknowledgement, so the worker did not run or report the job.
    Denied,
    /// Reported as succeeded.
    Succeeded,
    /// Reported as failed.
    Failed,
    /// Reported with a continuation token.
    Continued,
    /// The job had ended before its report: stopped, timed out, or finished by another worker.
    Over,
    /// Claimed, but CodePipeline rejected the report or did not answer before the deadline. Also the job of a dead worker whose
    /// adoption failed: a later invocation tries again.
    Unreported,
}

impl End {
    /// The end of a job that a poll offered and that the worker does not hold.
    pub(super) fn of_offer(exit: Exit) -> Self {
        match exit {
            Exit::NoLedger => Self::NoLedger,
            // A later invocation adopts the job if it was acknowledged.
            Exit::Unknown | Exit::NotHeld => Self::Unknown,
            Exit::Lost
            | Exit::HeldByOther
            | Exit::HoldLost
            | Exit::Unreported
            | Exit::NotInProgress
            | Exit::Unstopped
            | Exit::Marked
            | Exit::Done => Self::Lost,
        }
    }

    /// Counts the job in the metrics, and writes its line.
    pub(crate) fn measure(self, meter: &JobMeter) -> Self {
        meter.end(match self {
            Self::Lost => |it| &mut it.jobs_lost,
            Self::Unknown => |it| &mut it.jobs_unknown,
            Self::NoLedger => |it| &mut it.jobs_no_ledger,
            Self::Denied => |it| &mut it.jobs_denied,
            Self::Succeeded => |it| &mut it.jobs_succeeded,
            Self::Failed => |it| &mut it.jobs_failed,
            Self::Continued => |it| &mut it.jobs_continued,
            Self::Over => |it| &mut it.jobs_over,
            Self::Unreported => |it| &mut it.jobs_undelivered,
        });
        self
    }

    /// The end of a dead worker's job that the worker does not adopt.
    pub(super) fn of_orphan(exit: Exit) -> Self {
        match exit {
            Exit::NoLedger => Self::NoLedger,
            _ => Self::Lost,
        }
    }
}
