//! The protocol that decides which worker runs and reports a job: one worker's part, as a pure function.
//!
//! A job's *entry* in the ledger is a small S3 object. **The acknowledgement decides whether the job is taken; the entry
//! decides who runs it.** [`next`] takes a worker's [`State`] and an [`Event`], and returns the next state and a [`Command`].
//! It has no clock and calls no service: `keeper.rs` calls S3 and CodePipeline for it. `tests/it/model` runs this same function
//! next to models of CodePipeline and S3, with worker deaths between any two steps.
//!
//! ```text
//! offered ──▶ claim ──▶ acknowledge ──▶ hold ──▶ run ──▶ outcome ──▶ report ──▶ (stop) ──▶ done
//! invoked ───────────────────────────────▲        ▲         ▲          ▲
//! found in the listing, its worker dead ──┴─ adopt ┴─────────┴──────────┘
//! ```
//!
//! Every write is conditional. After a write that is refused or unanswered, the worker reads the entry. If the entry is what the
//! worker meant to write, the write took effect.

mod entry;
mod event;
pub mod limits;
mod state;

pub use entry::{Afterwards, Aim, Offers, Phase, Seen};
pub use event::{Command, Event};
pub use state::{Exit, State};

/// The next state and what to do in it. An event that does not belong to the state changes nothing.
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
        (Acknowledging { entry, created, .. }, Event::Unanswered) => Acknowledging { entry, created, unanswered: true },
        // The refusal may be the effect of its own earlier try. The entry stays, so that the job is found if it was acknowledged.
        (Acknowledging { unanswered: true, .. }, Event::NotGiven | Event::GivenUp) => Over(Exit::Unknown),
        (Acknowledging { entry, created: true, .. }, Event::NotGiven | Event::GivenUp) => Deleting { entry },
        // The entry that it replaced may stand for another worker's acknowledgement.
        (Acknowledging { created: false, .. }, Event::NotGiven | Event::GivenUp) => Over(Exit::Lost),
        (Vouching, Event::InProgress | Event::NotGiven | Event::GivenUp) => Over(Exit::Lost),
        (Vouching, Event::Unanswered) => Vouching,
        (Deleting { .. }, Event::Written(_) | Event::Refused | Event::Unanswered | Event::GivenUp) => Over(Exit::Lost),

        (Running { entry, .. }, Event::Ended) => Writing { aim: Aim::Outcome, over: Some(entry) },
        // If no worker had acknowledged the job, one that is offered it vouches, and CodePipeline accepts the next report.
        (Reporting { .. }, Event::NotInProgress) => Over(Exit::NotInProgress),
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
        Aim::Claim => State::Acknowledging { entry, created, unanswered: false },
        Aim::Hold => State::Running { entry, afterwards: Afterwards::Run },
        Aim::Mark => State::Over(Exit::Marked),
        Aim::Adopt(afterwards) => State::Running { entry, afterwards },
        Aim::Outcome | Aim::AdoptReport => State::Reporting { entry: Some(entry) },
        Aim::Done => State::Over(Exit::Done),
    }
}

/// After a write that was refused or is unanswered: the entry shows whether the write took effect.
fn read<V: PartialEq>(aim: Aim, over: Option<&V>, found: Option<Seen<V>>) -> State<V> {
    let Some(seen) = found else {
        return match aim {
            Aim::Claim | Aim::Hold => State::Writing { aim, over: None },
            // Deleting entries by hand removes the protection. A living worker reports nevertheless.
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
        // This worker was given the job; the one that claims it was not.
        Aim::Hold if seen.phase == Phase::Claiming => again(seen.version),
        Aim::Hold => State::Over(Exit::HeldByOther),
        Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport if unchanged => again(seen.version),
        Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => State::Over(Exit::Lost),
        Aim::Outcome if seen.mine => again(seen.version),
        Aim::Outcome => State::Over(Exit::HoldLost),
        Aim::Done if seen.mine && seen.phase != Phase::Done => again(seen.version),
        Aim::Done => State::Over(Exit::Done),
    }
}

/// The ledger could not be reached in time.
fn given_up<V>(aim: Aim) -> State<V> {
    match aim {
        Aim::Claim | Aim::Mark | Aim::Adopt(_) | Aim::AdoptReport => State::Over(Exit::NoLedger),
        Aim::Hold => State::Over(Exit::NotHeld),
        // The lease of its `held` entry outlasts this worker, so no other one runs or reports the job.
        Aim::Outcome => State::Reporting { entry: None },
        // When the lease has expired, a later invocation sends the report again. CodePipeline refuses it, since the job has ended.
        Aim::Done => State::Over(Exit::Done),
    }
}

#[cfg(test)]
mod tests;
