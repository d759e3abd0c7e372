//! What is being checked: how the service behaves where it is silent, and which rules the workers keep.

use std::fmt;

use codepipeline_worker::lifecycle::protocol::{Afterwards, limits};

use super::world::{Budget, Time};

/// What the documentation leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// An offer made again has another nonce.
    pub bumps_nonce: bool,
    /// A second acknowledgement is answered with `InProgress`, not refused.
    pub answers_again: bool,
    /// A result is taken before the job is acknowledged.
    pub takes_early_results: bool,
    /// A job that nobody has acknowledged is offered again after this long, at the latest.
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

/// How old a claim is, in the program, when a poll that brings nothing begins to tell something.
#[expect(clippy::cast_possible_truncation, reason = "a few units")]
pub const ON_OFFER_AGAIN: Time = {
    let (age, unit) = (limits::ON_OFFER_AGAIN.as_secs(), limits::ON_THE_WAY.as_secs());
    assert!(age.is_multiple_of(unit) && age / unit < 10, "the model counts in units of ON_THE_WAY");
    (age / unit) as Time
};

/// When a claiming entry is taken from the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// At any time.
    AnyTime,
    /// When a poll brought nothing, and it is this old.
    Unmarked(Time),
    /// It is marked when a poll brought nothing and it is this old, and adopted when it is found with its mark.
    Marked(Time),
    /// Not at all, since workers without a ledger poll the same type.
    Never,
}

/// One rule each; `false` breaks it.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A job that was reported has its entry marked, not deleted.
    pub mark_done: bool,
    /// After a write without a clear answer, the entry is read for our write id.
    pub read_back: bool,
    /// A worker that tries an acknowledgement again knows that it does.
    pub visible_retry: bool,
    /// A delete is conditional.
    pub conditional_delete: bool,
    /// A worker is told from another by an id of its invocation, so that a living one is not taken for dead.
    pub fresh_id: bool,
    /// Who is offered a job that another holds acknowledges it in the other's name.
    pub vouching: bool,
    /// A report that is refused, of a job of which nobody knows that it was acknowledged, is sent again later.
    pub untaken: bool,
    /// A job that a dead worker held, or was reporting, is adopted.
    pub adopts: bool,
    /// Who adopts a report sends it.
    pub sends_adopted: bool,
    /// The work outside of a failed job is stopped before the entry is marked done.
    pub stops_before_done: bool,
    /// Who adopts the report of a failure stops the work, even if the report is refused.
    pub stops_adopted: bool,
    /// Who took over a job that had begun leaves the work alone if its report is refused.
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
        stops_before_done: true,
        stops_adopted: true,
        leaves_others: true,
        adoption: Adoption::Marked(ON_OFFER_AGAIN),
    };
}

/// Which requests may fail in which way.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Of the ledger and of the service: the request gets lost.
    pub lost: bool,
    /// It takes effect, now or later, but nobody learns of it.
    pub late: bool,
    /// A write is refused though its condition holds (409).
    pub conflict: bool,
    /// The ledger is not reached until time is up: before the acknowledgement.
    pub no_claim: bool,
    /// The same, between the acknowledgement and the hold.
    pub no_hold: bool,
    /// The same, after the hold.
    pub no_outcome: bool,
    /// The service is not reached until time is up.
    pub no_service: bool,
    /// The service that does the work outside is not reached until time is up.
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
    /// A job that is not in progress may be run, and the work of a failed job may run on: what comes of it is looked at instead.
    pub lenient: bool,
    /// The last worker knows no ledger.
    pub stranger: bool,
    /// A job may be left that nobody reports.
    pub may_hang: bool,
    /// Actions begin work outside, and fail or continue.
    pub outside: bool,
    pub budget: Budget,
}
