//! Who may run a job, and who must report it: one worker's part in the life of one job, as a pure function.
//!
//! A job's *entry* in the ledger is a small S3 object. **The acknowledgement decides whether the job is taken; the entry
//! decides who runs it.** [`next`] takes where a worker stands and what it has just learned, and gives where it stands then
//! and what it is to do. It knows no clock, no S3 and no CodePipeline: `keeper.rs` asks them. `tests/model` runs this very
//! function beside models of the service and of S3, with crashes between any two steps.
//!
//! ```text
//! offered ──▶ claim ──▶ acknowledge ──▶ hold ──▶ run ──▶ outcome ──▶ report ──▶ (stop) ──▶ done
//! invoked ───────────────────────────────▲        ▲         ▲          ▲
//! found in the listing, its worker dead ──┴─ adopt ┴─────────┴──────────┘
//! ```
//!
//! Every write is conditional. One whose answer was lost, or that was refused, is followed by a read: if the entry is what
//! was to be written, the write was ours and it took effect.

pub mod limits;

/// What the ledger says of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Somebody is about to acknowledge the job.
    Claiming,
    /// Somebody has acknowledged it and runs it.
    Held,
    /// Somebody has the outcome and reports it.
    Reporting,
    /// It has been reported.
    Done,
}

/// An entry as one worker sees it. `V` tells its states apart: S3's `ETag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen<V> {
    /// Which state of the entry this is.
    pub version: V,
    /// What it says.
    pub phase: Phase,
    /// The write that this worker tried last made it so.
    pub written: bool,
    /// This worker wrote it, then or earlier.
    pub mine: bool,
    /// Its worker is dead, or is out of time.
    pub lease_over: bool,
}

/// What the polls of a job's type have brought, for who found the job in the listing: whether it may be on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offers {
    /// It may be: the last poll brought something, or failed.
    Some,
    /// The last poll brought nothing.
    None,
    /// The last poll brought nothing, and so did one before the entry was marked, as long ago as anybody may take from a poll
    /// to holding a job.
    StillNone,
}

/// What is to become of a held job whose worker died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Afterwards {
    /// It runs again.
    Run,
    /// It is reported as failed.
    Fail,
}

/// Why the entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// `claiming`, before the acknowledgement.
    Claim,
    /// `held`, before the action starts.
    Hold,
    /// `claiming` as it was, and marked: no job of the type was on offer.
    Mark,
    /// `held` in the place of a worker that is dead.
    Adopt(Afterwards),
    /// `reporting` in the place of a worker that is dead, with its outcome.
    AdoptReport,
    /// `reporting`, with the outcome.
    Outcome,
    /// `done`.
    Done,
}

impl Aim {
    /// What the entry says when it is written.
    pub fn phase(self) -> Phase {
        match self {
            Self::Claim | Self::Mark => Phase::Claiming,
            Self::Hold | Self::Adopt(_) => Phase::Held,
            Self::AdoptReport | Self::Outcome => Phase::Reporting,
            Self::Done => Phase::Done,
        }
    }
}

/// Where a worker stands with a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State<V> {
    /// It writes the entry over the state that it knows, or where there is none.
    Writing {
        /// What for.
        aim: Aim,
        /// The state to replace; `None` creates.
        over: Option<V>,
    },
    /// It reads what became of a write.
    Reading {
        /// What the write was for.
        aim: Aim,
        /// What it was to replace.
        over: Option<V>,
    },
    /// It asks the service for the job.
    Acknowledging {
        /// Its `claiming` entry.
        entry: V,
        /// Whether there was none before, so that it is nobody else's.
        created: bool,
        /// Whether an earlier try may have succeeded.
        doubt: bool,
    },
    /// The job was offered, and yet the ledger says that another has it. It is acknowledged in the other's name, in case that
    /// nobody has: who adopted it can only infer that somebody had.
    Vouching,
    /// The job is not its own: it takes its entry away.
    Deleting {
        /// The state to delete.
        entry: V,
    },
    /// The job is its own, and the action runs, or a failure is made of it.
    Running {
        /// Its `held` entry.
        entry: V,
        /// Whether the action runs.
        afterwards: Afterwards,
    },
    /// It reports.
    Reporting {
        /// Its `reporting` entry; `None` if it could not be written.
        entry: Option<V>,
    },
    /// The job is over, and no further job comes for its work outside: it stops that work.
    Stopping {
        /// Its `reporting` entry; `None` if it could not be written.
        entry: Option<V>,
    },
    /// It has nothing more to do with the job.
    Over(Exit),
}

/// How a worker's part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Another has the job or can have it; nothing was acknowledged.
    Lost,
    /// The ledger could not be reached, so nothing was acknowledged or adopted, as far as is known.
    NoLedger,
    /// Nobody knows whether the acknowledgement took effect. The entry is left, and the job is adopted if it did.
    Unknown,
    /// Acknowledged, but another holds the job.
    GaveWay,
    /// Acknowledged, but the ledger could not be told in time. The job is adopted by a later invocation.
    NotHeld,
    /// The hold is gone, which no living worker's ever is: nothing is reported.
    HoldLost,
    /// The report was not delivered. A later invocation sends it again.
    Unreported,
    /// The service says that a job which was adopted unacknowledged, as far as anybody knows, is not in progress. A later
    /// invocation sends the report again.
    Untaken,
    /// The job is over, and its work outside could not be stopped. A later invocation sends the report again, which the
    /// service refuses, and stops the work.
    Unstopped,
    /// Marked as a job that is not on offer.
    Marked,
    /// Reported.
    Done,
}

/// What a worker learns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<V> {
    /// The write took effect and made this state.
    Written(V),
    /// The condition did not hold (HTTP 412), or another write was under way (409).
    Refused,
    /// No answer, or one that leaves open whether it took effect.
    Unanswered,
    /// What the entry is; `None` if there is none.
    Found(Option<Seen<V>>),
    /// The acknowledgement was answered with `InProgress`.
    InProgress,
    /// The service would not give the job.
    NotGiven,
    /// The action has ended, or a failure was made of it.
    Ended,
    /// The service has the report, or says that the job is over. That it is not in progress says so of a job that was
    /// certainly acknowledged.
    Reported,
    /// The service says that the job is not in progress: it is over, or was never acknowledged.
    NotInProgress,
    /// As [`Event::Reported`], and work outside runs on that no further job comes for.
    ReportedButRunning,
    /// The work outside was stopped, or another try would not stop it either.
    Stopped,
    /// No time is left for more tries.
    GivenUp,
}

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command<V> {
    /// Write the entry.
    Write {
        /// What for.
        aim: Aim,
        /// The state to replace; `None` creates.
        over: Option<V>,
    },
    /// Read the entry.
    Read,
    /// Delete the entry if it is still in this state.
    Delete(V),
    /// Acknowledge the job, once.
    Acknowledge,
    /// Run the action.
    Run,
    /// Make a failure: the job's worker died.
    Fail,
    /// Report the outcome.
    Report,
    /// Stop the work outside.
    Stop,
    /// Leave.
    Leave(Exit),
}

impl<V: Clone> State<V> {
    /// A job was offered by a poll.
    pub fn offered() -> Self {
        Self::Writing { aim: Aim::Claim, over: None }
    }

    /// A job was delivered, which needs no acknowledgement (Lambda Invoke).
    pub fn invoked() -> Self {
        Self::Writing { aim: Aim::Hold, over: None }
    }

    /// A job was found in the listing. One that is held or reported by a worker that died is adopted.
    ///
    /// One in the phase `claiming` was perhaps never acknowledged, and must not run then. That its type's poll brings nothing
    /// does not tell: another may have polled it a moment before, and be on its way. So the entry is marked, and whoever is
    /// offered the job writes it anew, as its lease is over. A mark that is still there when everybody who polled before it
    /// has arrived, and another poll that brings nothing, say that the job was acknowledged, by one that died without
    /// beginning.
    pub fn found(seen: &Seen<V>, offers: Offers, afterwards: Afterwards) -> Self {
        let aim = match (seen.phase, offers) {
            (Phase::Claiming, Offers::None) if seen.lease_over => Aim::Mark,
            (Phase::Claiming, Offers::StillNone) if seen.lease_over => Aim::Adopt(Afterwards::Run),
            (Phase::Held, _) if seen.lease_over => Aim::Adopt(afterwards),
            (Phase::Reporting, _) if seen.lease_over => Aim::AdoptReport,
            _ => return Self::Over(Exit::Lost),
        };
        Self::Writing { aim, over: Some(seen.version.clone()) }
    }

    /// What is to be done here.
    pub fn command(&self) -> Command<V> {
        match self {
            Self::Writing { aim, over } => Command::Write { aim: *aim, over: over.clone() },
            Self::Reading { .. } => Command::Read,
            Self::Deleting { entry } => Command::Delete(entry.clone()),
            Self::Acknowledging { .. } | Self::Vouching => Command::Acknowledge,
            Self::Running { afterwards: Afterwards::Run, .. } => Command::Run,
            Self::Running { afterwards: Afterwards::Fail, .. } => Command::Fail,
            Self::Reporting { .. } => Command::Report,
            Self::Stopping { .. } => Command::Stop,
            Self::Over(exit) => Command::Leave(*exit),
        }
    }
}

/// The next step. An event that answers no question of this state changes nothing.
pub fn next<V: Clone + PartialEq>(state: State<V>, event: Event<V>) -> (State<V>, Command<V>) {
    let state = step(state, event);
    let command = state.command();
    (state, command)
}

fn step<V: Clone + PartialEq>(state: State<V>, event: Event<V>) -> State<V> {
    use State::{Acknowledging, Deleting, Over, Reading, Reporting, Running, Stopping, Vouching, Writing};
    match (state, event) {
        (Writing { aim, over }, Event::Written(entry)) => written(aim, over.is_none(), entry),
        (Writing { aim, over }, Event::Refused | Event::Unanswered) => Reading { aim, over },
        (Reading { aim, over }, Event::Found(found)) => read(aim, over.as_ref(), found),
        (Writing { aim, .. } | Reading { aim, .. }, Event::GivenUp) => given_up(aim),

        (Acknowledging { entry, .. }, Event::InProgress) => Writing { aim: Aim::Hold, over: Some(entry) },
        (Acknowledging { entry, created, .. }, Event::Unanswered) => Acknowledging { entry, created, doubt: true },
        // Refused perhaps for an earlier try of its own. The entry stays: with it, the job is found if it was acknowledged.
        (Acknowledging { doubt: true, .. }, Event::NotGiven | Event::GivenUp) => Over(Exit::Unknown),
        (Acknowledging { entry, created: true, .. }, Event::NotGiven | Event::GivenUp) => Deleting { entry },
        // What it took over may stand for an acknowledgement of the one before.
        (Acknowledging { created: false, .. }, Event::NotGiven | Event::GivenUp) => Over(Exit::Lost),
        (Vouching, Event::InProgress | Event::NotGiven | Event::GivenUp) => Over(Exit::Lost),
        (Vouching, Event::Unanswered) => Vouching,
        (Deleting { .. }, Event::Written(_) | Event::Refused | Event::Unanswered | Event::GivenUp) => Over(Exit::Lost),

        (Running { entry, .. }, Event::Ended) => Writing { aim: Aim::Outcome, over: Some(entry) },
        // Where nobody had acknowledged the job, somebody who is offered it does so in our name, and then the report is taken.
        (Reporting { .. }, Event::NotInProgress) => Over(Exit::Untaken),
        (Reporting { entry }, Event::ReportedButRunning) => Stopping { entry },
        (Reporting { entry }, Event::Reported) | (Stopping { entry }, Event::Stopped) => match entry {
            Some(entry) => Writing { aim: Aim::Done, over: Some(entry) },
            None => Reading { aim: Aim::Done, over: None },
        },
        (Reporting { .. }, Event::GivenUp) => Over(Exit::Unreported),
        (Stopping { .. }, Event::GivenUp) => Over(Exit::Unstopped),
        (state, _) => state,
    }
}

fn written<V>(aim: Aim, created: bool, entry: V) -> State<V> {
    match aim {
        Aim::Claim => State::Acknowledging { entry, created, doubt: false },
        Aim::Hold => State::Running { entry, afterwards: Afterwards::Run },
        Aim::Mark => State::Over(Exit::Marked),
        Aim::Adopt(afterwards) => State::Running { entry, afterwards },
        Aim::Outcome | Aim::AdoptReport => State::Reporting { entry: Some(entry) },
        Aim::Done => State::Over(Exit::Done),
    }
}

/// A write was refused or its answer got lost: what the entry is now tells whether it took effect, and what to do if not.
fn read<V: PartialEq>(aim: Aim, over: Option<&V>, found: Option<Seen<V>>) -> State<V> {
    let Some(seen) = found else {
        return match aim {
            Aim::Claim | Aim::Hold => State::Writing { aim, over: None },
            // Whoever empties the ledger takes its protection away; a living worker reports all the same.
            Aim::Outcome => State::Reporting { entry: None },
            Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => State::Over(Exit::Lost),
            Aim::Done => State::Over(Exit::Done),
        };
    };
    if seen.written && seen.phase == aim.phase() {
        return written(aim, over.is_none(), seen.version);
    }
    let again = |version| State::Writing { aim, over: Some(version) };
    let unchanged = over == Some(&seen.version);
    match aim {
        Aim::Claim if seen.phase == Phase::Claiming && seen.lease_over => again(seen.version),
        Aim::Claim if matches!(seen.phase, Phase::Held | Phase::Reporting) => State::Vouching,
        Aim::Claim => State::Over(Exit::Lost),
        // It has been given the job; whoever claims it hasn't.
        Aim::Hold if seen.phase == Phase::Claiming => again(seen.version),
        Aim::Hold => State::Over(Exit::GaveWay),
        Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport if unchanged => again(seen.version),
        Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => State::Over(Exit::Lost),
        Aim::Outcome if seen.mine => again(seen.version),
        Aim::Outcome => State::Over(Exit::HoldLost),
        Aim::Done if seen.mine && seen.phase != Phase::Done => again(seen.version),
        Aim::Done => State::Over(Exit::Done),
    }
}

/// The ledger can't be reached any more.
fn given_up<V>(aim: Aim) -> State<V> {
    match aim {
        Aim::Claim | Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => State::Over(Exit::NoLedger),
        Aim::Hold => State::Over(Exit::NotHeld),
        // The lease of its `held` entry outlives it, so nobody else runs or reports the job.
        Aim::Outcome => State::Reporting { entry: None },
        // The report is sent again when the lease is over, and refused, since the job is over.
        Aim::Done => State::Over(Exit::Done),
    }
}

#[cfg(test)]
mod tests;
