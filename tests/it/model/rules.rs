//! A configuration to check: the undocumented behaviour of the service, and the rules that workers keep.

use std::fmt;

use codepipeline_worker::lifecycle::protocol::{Afterwards, limits};

use super::world::{Budget, Time};

/// The behaviour that the documentation leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Another offer of a job has another nonce.
    pub bumps_nonce: bool,
    /// A second acknowledgement is answered with `InProgress`, not refused.
    pub answers_again: bool,
    /// A report is accepted before the acknowledgement.
    pub takes_early_results: bool,
    /// An unacknowledged job is offered again after this time, at the latest.
    pub offers_again_after: Time,
}

impl Service {
    pub const ALL: [Self; 8] = [
        Self::new(false, false, false),
        Self::new(true, false, false),
        Self::new(false, true, false),
        Self::new(true, true, false),
        Self::new(false, false, true),
        Self::new(true, false, true),
        Self::new(false, true, true),
        Self::new(true, true, true),
    ];

    const fn new(bumps_nonce: bool, answers_again: bool, takes_early_results: bool) -> Self {
        Self { bumps_nonce, answers_again, takes_early_results, offers_again_after: 1 }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nonce = if self.bumps_nonce { "another nonce" } else { "the same nonce" };
        let again = if self.answers_again { "answered" } else { "refused" };
        let early = if self.takes_early_results { "taken" } else { "refused" };
        write!(f, "{nonce}, second acknowledgement {again}, early result {early}")
    }
}

/// The age of a claim, in the program, from which an empty poll counts.
#[expect(clippy::cast_possible_truncation, reason = "a few units")]
pub const ON_OFFER_AGAIN: Time = {
    let (age, unit) = (limits::ON_OFFER_AGAIN.as_secs(), limits::ON_THE_WAY.as_secs());
    assert!(age.is_multiple_of(unit) && age / unit < 10, "the model counts in units of ON_THE_WAY");
    (age / unit) as Time
};

/// When a claiming entry is adopted from the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// At any time.
    AnyTime,
    /// After an empty poll, if it is this old.
    Unmarked(Time),
    /// It is marked after an empty poll if it is this old, and adopted when it is found with its mark.
    Marked(Time),
    /// Never, because workers without a ledger poll the same type.
    Never,
}

/// The rules; `false` breaks one.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The entry of a reported job is marked, not deleted.
    pub mark_done: bool,
    /// After an unanswered write, the worker looks for its write id in the entry.
    pub read_back: bool,
    /// A worker knows that an acknowledgement is a retry.
    pub visible_retry: bool,
    /// A delete is conditional.
    pub conditional_delete: bool,
    /// Each invocation has an id of its own, so that a living worker does not look dead.
    pub fresh_id: bool,
    /// A worker that is offered a job that another holds vouches.
    pub vouching: bool,
    /// A refused report is sent again later if the acknowledgement is only inferred.
    pub untaken: bool,
    /// A job that a dead worker held, or was reporting, is adopted.
    pub adopts: bool,
    /// A worker that adopts a report sends it.
    pub sends_adopted: bool,
    /// An action waits until its worker holds the job. Only the staging of its inputs does not.
    pub waits_for_hold: bool,
    /// The work outside of a failed job is stopped before the entry is marked done.
    pub stops_before_done: bool,
    /// A worker that adopts the report of a failure stops the work, even if the report is refused.
    pub stops_adopted: bool,
    /// A worker that adopted a started job leaves the work running if its report is refused.
    pub leaves_others: bool,
    pub adoption: Adoption,
}

impl Rules {
    pub const ALL: Self = Self {
        mark_done: true,
        read_back: true,
        visible_retry: true,
        conditional_delete: true,
        fresh_id: true,
        vouching: true,
        untaken: true,
        adopts: true,
        sends_adopted: true,
        waits_for_hold: true,
        stops_before_done: true,
        stops_adopted: true,
        leaves_others: true,
        adoption: Adoption::Marked(ON_OFFER_AGAIN),
    };
}

/// The faults that requests may have.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Of the ledger and of the service: the request gets lost.
    pub lost: bool,
    /// It takes effect, now or later, and is unanswered.
    pub late: bool,
    /// A write is refused though its condition holds (409).
    pub conflict: bool,
    /// The ledger is out of reach until time is up, before the acknowledgement.
    pub no_claim: bool,
    /// The same, between the acknowledgement and the hold.
    pub no_hold: bool,
    /// The same, after the hold.
    pub no_outcome: bool,
    /// CodePipeline is out of reach until time is up.
    pub no_service: bool,
    /// The service that does the work outside is out of reach until time is up.
    pub no_outside: bool,
}

impl Faults {
    pub const ALL: Self = Self {
        lost: true,
        late: true,
        conflict: true,
        no_claim: true,
        no_hold: true,
        no_outcome: true,
        no_service: true,
        no_outside: true,
    };
}

/// A model to check.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub service: Service,
    pub rules: Rules,
    pub faults: Faults,
    pub afterwards: Afterwards,
    pub workers: usize,
    pub jobs: usize,
    /// Jobs come as events and need no acknowledgement.
    pub invoked: bool,
    /// A job that is not in progress may run, and the work of a failed job may run on. The consequences are checked instead.
    pub lenient: bool,
    /// The last worker has no ledger.
    pub stranger: bool,
    /// A job may stay unreported.
    pub may_hang: bool,
    /// Actions start work outside, and fail or continue.
    pub outside: bool,
    /// The first two workers are two jobs of one invocation: one is on its way while the other is reported. They die together, and
    /// that is one death.
    pub together: bool,
    pub budget: Budget,
}
