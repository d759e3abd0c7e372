//! The states of one worker's part in a job.

use super::{Afterwards, Aim, Command, Offers, Phase, Seen};

/// The state of a worker's part in a job. In each state the worker has one thing to do: [`State::command`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State<V> {
    /// It writes the entry.
    Writing {
        /// The purpose of the write.
        aim: Aim,
        /// The version to replace; `None` creates the entry.
        over: Option<V>,
    },
    /// It reads the entry after a write that was refused or is unanswered.
    Reading {
        /// The purpose of the write.
        aim: Aim,
        /// The version that the write was to replace.
        over: Option<V>,
    },
    /// It acknowledges the job.
    Acknowledging {
        /// Its `claiming` entry.
        entry: V,
        /// Whether it created the entry. If not, the entry may stand for another worker's acknowledgement.
        created: bool,
        /// Whether an earlier try is unanswered, so that it may have taken effect.
        unanswered: bool,
    },
    /// It was offered a job that the ledger says another worker holds, and acknowledges it on the holder's behalf. A holder that
    /// adopted the job has only inferred that it was acknowledged.
    Vouching,
    /// The job is not its own, so it deletes its entry.
    Deleting {
        /// The version to delete.
        entry: V,
    },
    /// It holds the job. The action runs, or the worker makes a failure.
    Running {
        /// Its `held` entry.
        entry: V,
        /// Whether the action runs.
        afterwards: Afterwards,
    },
    /// It reports the outcome.
    Reporting {
        /// Its `reporting` entry; `None` if the ledger could not be reached.
        entry: Option<V>,
    },
    /// The job has ended and no further job resumes its work outside, so the worker stops that work.
    Stopping {
        /// Its `reporting` entry; `None` if the ledger could not be reached.
        entry: Option<V>,
    },
    /// Its part has ended.
    Over(Exit),
}

/// How a worker's part in a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Another worker has the job or may get it. This one acknowledged nothing.
    Lost,
    /// The ledger could not be reached. The worker acknowledged and adopted nothing, as far as it knows.
    NoLedger,
    /// An acknowledgement is unanswered. The entry stays, and a later invocation adopts the job if the acknowledgement took
    /// effect.
    Unknown,
    /// Acknowledged, but another worker holds the job.
    HeldByOther,
    /// Acknowledged, but the ledger could not be told in time. A later invocation adopts the job.
    NotHeld,
    /// Another worker holds the job that this one held. That never happens to a living worker. It reports nothing.
    HoldLost,
    /// The report has no response. A later invocation sends it again.
    Unreported,
    /// The job was adopted on the inference that it was acknowledged, and CodePipeline says that it is not in progress. A later
    /// invocation sends the report again.
    NotInProgress,
    /// The job has ended, and its work outside could not be stopped. A later invocation sends the report again, which CodePipeline
    /// refuses, and stops the work.
    Unstopped,
    /// Marked as a job that is not on offer.
    Marked,
    /// Reported.
    Done,
}

impl<V: Clone> State<V> {
    /// The first state for a job that a poll offered.
    pub fn offered() -> Self {
        Self::Writing { aim: Aim::Claim, over: None }
    }

    /// The first state for a job that came in an event (Lambda Invoke). It needs no acknowledgement.
    pub fn invoked() -> Self {
        Self::Writing { aim: Aim::Hold, over: None }
    }

    /// The first state for a job from the listing. A job that a dead worker held or reported is adopted.
    ///
    /// A `claiming` job may never have been acknowledged, and then it must not run. One empty poll does not prove an
    /// acknowledgement: another worker may have polled the job a moment before. So the worker marks the entry first. A worker
    /// that is offered the job replaces the marked entry, because its lease has expired. Later, every earlier poller
    /// has had time to claim the job. If the mark is still there then, and another poll is empty, a worker acknowledged the job and
    /// died before it held it.
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

    /// The worker's command in this state.
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
