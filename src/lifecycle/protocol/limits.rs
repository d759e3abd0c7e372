//! The protocol's assumptions about time, and its counts of tries. `intake`, `keeper` and `orphan` enforce them, and
//! `tests/it/model` uses the same numbers.

use std::time::Duration;

use super::Phase;

/// How long a worker may take from sending a poll to holding or leaving a job that it brought. The lease of a `claiming` entry
/// lasts as long. So does the time between a mark and the empty poll that confirms it.
pub const ON_THE_WAY: Duration = Duration::from_secs(30);

/// The age of its entry at which a claimed, unacknowledged job is on offer again. A worker that is offered the job during the
/// claim's lease ([`ON_THE_WAY`]) lets the offer lapse, and CodePipeline offers the job again within 60 s. The only public number
/// is 30 s, in the Jenkins plugin, and no document calls it exact.
pub const ON_OFFER_AGAIN: Duration = Duration::from_secs(90);

/// How often the report of a job is sent whose acknowledgement is only inferred. A worker that is offered the job vouches, so
/// CodePipeline accepts one of these reports, or the job has ended.
pub const MOST_REPORTS: u32 = 4;

/// How often a job has been adopted after an adoption in this phase. A job that was only claimed starts for the first time, so
/// that adoption does not count.
pub fn adoptions(before: u32, phase: Phase) -> u32 {
    before.saturating_add(u32::from(phase != Phase::Claiming))
}

/// Whether "not in progress" means that a job has ended. It does if the job was certainly acknowledged. If that is only `inferred`,
/// each adoption sends the report again, up to [`MOST_REPORTS`].
pub fn is_over(inferred: bool, adoptions: u32) -> bool {
    !inferred || adoptions.saturating_add(1) >= MOST_REPORTS
}

/// Whether the outcome in a `reporting` entry with so many `adoptions` is certainly that of the worker that started the job. The
/// report of an adopting worker may be refused because the first worker had reported a continuation that the ledger does not
/// have. Then a later job needs the work outside.
pub fn is_first_outcome(adoptions: u32) -> bool {
    adoptions == 0
}
