//! The line of a job.

use metrique::unit::{Byte, Count, Millisecond};
use metrique::unit_of_work::metrics;

use super::line::Head;
use crate::job::ActionTypeId;

/// The line of a job.
#[metrics(emf::dimension_sets = [[], ["ActionType"]], rename_all = "PascalCase")]
pub(super) struct JobLine {
    #[metrics(flatten)]
    pub(super) head: Head,
    pub(super) action_type: String,
    #[metrics(flatten)]
    pub(super) values: JobValues,
}

/// The metrics of a job.
#[metrics(subfield_owned)]
#[derive(Default)]
pub struct JobValues {
    /// Jobs reported as succeeded.
    #[metrics(unit = Count)]
    pub jobs_succeeded: Option<u64>,
    /// Jobs reported as failed.
    #[metrics(unit = Count)]
    pub jobs_failed: Option<u64>,
    /// Jobs reported with a continuation token.
    #[metrics(unit = Count)]
    pub jobs_continued: Option<u64>,
    /// Claimed jobs that ended before their report.
    #[metrics(unit = Count)]
    pub jobs_over: Option<u64>,
    /// Jobs that another worker took, or that came too late to take.
    #[metrics(unit = Count)]
    pub jobs_lost: Option<u64>,
    /// Jobs whose acknowledgement is unanswered, or that the ledger could not record.
    #[metrics(unit = Count)]
    pub jobs_unknown: Option<u64>,
    /// Jobs that were left because the ledger could not be reached.
    #[metrics(unit = Count)]
    pub jobs_no_ledger: Option<u64>,
    /// Jobs whose acknowledgement CodePipeline denied.
    #[metrics(unit = Count)]
    pub jobs_denied: Option<u64>,
    /// Claimed jobs whose report CodePipeline has not accepted.
    #[metrics(unit = Count)]
    pub jobs_undelivered: Option<u64>,
    /// Jobs adopted after a worker death. They also count by their end.
    #[metrics(unit = Count)]
    pub jobs_adopted: Option<u64>,
    /// Jobs that failed because the disk is almost full.
    #[metrics(unit = Count)]
    pub low_disk: Option<u64>,
    /// From the event that says that the action has started to the claim of its job.
    #[metrics(unit = Millisecond)]
    pub time_to_claim_ms: Option<u64>,
    /// How long staging in took.
    #[metrics(unit = Millisecond)]
    pub staging_in_ms: Option<u64>,
    /// Bytes of the input artifacts.
    #[metrics(unit = Byte)]
    pub staging_in_bytes: Option<u64>,
    /// How long the action took, without staging.
    #[metrics(unit = Millisecond)]
    pub action_ms: Option<u64>,
    /// How long staging out took.
    #[metrics(unit = Millisecond)]
    pub staging_out_ms: Option<u64>,
    /// Bytes of the output artifacts.
    #[metrics(unit = Byte)]
    pub staging_out_bytes: Option<u64>,
}

impl JobLine {
    /// A line with every member.
    pub(super) fn complete(head: Head) -> Self {
        let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
        let one = Some(1);
        let values = JobValues {
            jobs_succeeded: one,
            jobs_failed: one,
            jobs_continued: one,
            jobs_over: one,
            jobs_lost: one,
            jobs_unknown: one,
            jobs_no_ledger: one,
            jobs_denied: one,
            jobs_undelivered: one,
            jobs_adopted: one,
            low_disk: one,
            time_to_claim_ms: one,
            staging_in_ms: one,
            staging_in_bytes: one,
            action_ms: one,
            staging_out_ms: one,
            staging_out_bytes: one,
        };
        let action_type = ActionTypeId { category, owner, provider, version }.to_string();
        Self { head, action_type, values }
    }
}
