//! The line of an invocation.

use metrique::unit::{Byte, Count, Second};
use metrique::unit_of_work::metrics;

use super::line::Head;

/// The line of an invocation. It has no dimension: the log says which action type a problem concerns.
#[metrics(emf::dimension_sets = [[]], rename_all = "PascalCase")]
pub(super) struct InvocationLine {
    #[metrics(flatten)]
    pub(super) head: Head,
    #[metrics(flatten)]
    pub(super) values: InvocationValues,
}

/// The metrics of an invocation.
#[metrics(subfield_owned)]
#[derive(Default)]
pub struct InvocationValues {
    /// 1 if the schedule woke the function.
    #[metrics(unit = Count)]
    pub ticks: Option<u64>,
    /// 1 if this is the first line of the process.
    #[metrics(unit = Count)]
    pub cold_starts: Option<u64>,
    /// Polls without an answer.
    #[metrics(unit = Count)]
    pub polls_failed: Option<u64>,
    /// Polls that CodePipeline throttled.
    #[metrics(unit = Count)]
    pub polls_throttled: Option<u64>,
    /// Action types whose polls have been throttled for minutes.
    #[metrics(unit = Count)]
    pub throttled_types: Option<u64>,
    /// Action types that can't be polled.
    #[metrics(unit = Count)]
    pub unpollable_types: Option<u64>,
    /// Jobs of shared types that were being claimed at a worker death.
    #[metrics(unit = Count)]
    pub unprotected_jobs: Option<u64>,
    /// Third-party jobs whose client token is missing or wrong.
    #[metrics(unit = Count)]
    pub client_token_problems: Option<u64>,
    /// Actions whose work outside was stopped.
    #[metrics(unit = Count)]
    pub actions_stopped: Option<u64>,
    /// 1 if the worker took no job that needs files.
    #[metrics(unit = Count)]
    pub low_disk: Option<u64>,
    /// Free bytes on the disk of the work folder.
    #[metrics(unit = Byte)]
    pub free_disk_bytes: Option<u64>,
    /// How long ago the ledger's oldest entry of an unfinished job was written.
    #[metrics(unit = Second)]
    pub oldest_entry_seconds: Option<u64>,
}

impl InvocationLine {
    /// A line with every metric.
    pub(super) fn complete(head: Head) -> Self {
        let one = Some(1);
        let values = InvocationValues {
            ticks: one,
            cold_starts: one,
            polls_failed: one,
            polls_throttled: one,
            throttled_types: one,
            unpollable_types: one,
            unprotected_jobs: one,
            client_token_problems: one,
            actions_stopped: one,
            low_disk: one,
            free_disk_bytes: one,
            oldest_entry_seconds: one,
        };
        Self { head, values }
    }
}
