//! What the protocol takes for granted about time, and how often something is tried. `intake`, `keeper` and `orphan` keep to
//! it; `tests/model` reckons with the same numbers.

use std::time::Duration;

use super::Phase;

/// How long anybody may take from sending a poll to holding a job that it brought, or to giving it up. The lease of a
/// `claiming` entry is as long, and so is the time from a mark to the poll in vain that it is relied on with.
pub const ON_THE_WAY: Duration = Duration::from_secs(30);

/// A job that was claimed, and not acknowledged, is on offer again when its entry is this old: whoever was offered it while
/// that was another's ([`ON_THE_WAY`]) has let it lapse, and the service makes an offer anew within 60 s (30 s are the only
/// public number, see the Jenkins plugin; nothing says that it is exact).
pub const ON_OFFER_AGAIN: Duration = Duration::from_secs(90);

/// The report of a job that was perhaps never acknowledged is sent so often. Whoever is offered it acknowledges it, so one of
/// these reports is taken, or the job is over.
pub const MOST_REPORTS: u32 = 4;

/// How often a job has been adopted, once it is adopted in this phase. One that was only claimed is begun for the first time,
/// so that does not count.
pub fn adoptions(before: u32, phase: Phase) -> u32 {
    before.saturating_add(u32::from(phase != Phase::Claiming))
}

/// Whether a job is over of which the service says that it is not in progress. It is if it was certainly acknowledged; if that
/// is only `inferred`, its report is sent again at each of its adoptions, but not for ever.
pub fn is_over(inferred: bool, adoptions: u32) -> bool {
    !inferred || adoptions.saturating_add(1) >= MOST_REPORTS
}

/// Whether the outcome in a `reporting` entry, found with so many `adoptions`, is certainly that of the one worker that began
/// the job. Another worker that took the job over may report what is refused because the first one had already reported a
/// continuation without telling the ledger. Then a later job needs the work outside.
pub fn is_first_outcome(adoptions: u32) -> bool {
    adoptions == 0
}
