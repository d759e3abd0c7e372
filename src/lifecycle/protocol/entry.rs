//! A job's entry in the ledger, as the protocol knows it.

/// The phase of a job, as its entry records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A worker is about to acknowledge the job.
    Claiming,
    /// A worker has acknowledged the job and runs it.
    Held,
    /// A worker has the outcome and reports it.
    Reporting,
    /// The job has been reported.
    Done,
}

/// An entry as one worker sees it. `V` is the version of the entry: S3's `ETag`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen<V> {
    /// The entry's version.
    pub version: V,
    /// The phase that it records.
    pub phase: Phase,
    /// Whether this worker's last write made this version.
    pub written: bool,
    /// Whether this worker wrote the entry, with its last write or earlier.
    pub mine: bool,
    /// Whether the lease has expired: the worker is dead, or out of time.
    pub lease_over: bool,
}

/// Whether a job from the listing may still be on offer, as the polls of its type tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offers {
    /// It may be: the last poll brought a job, or failed.
    Some,
    /// The last poll was empty.
    None,
    /// The last poll was empty, and so was one before the entry was marked. Between the two, every worker that polled the job
    /// earlier has had the time to hold it.
    StillNone,
}

/// The fate of a held job after a worker death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Afterwards {
    /// Its action runs again.
    Run,
    /// It is reported as failed.
    Fail,
}

/// The purpose of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// Records `claiming`, before the acknowledgement.
    Claim,
    /// Records `held`, before the action starts.
    Hold,
    /// Keeps `claiming` and adds the mark: no poll of the type brought a job.
    Mark,
    /// Records `held`, in place of a dead worker.
    Adopt(Afterwards),
    /// Records `reporting` with the outcome of a dead worker.
    AdoptReport,
    /// Records `reporting`, with the outcome.
    Outcome,
    /// Records `done`.
    Done,
}

impl Aim {
    /// The phase that the write records.
    pub fn phase(self) -> Phase {
        match self {
            Self::Claim | Self::Mark => Phase::Claiming,
            Self::Hold | Self::Adopt(_) => Phase::Held,
            Self::AdoptReport | Self::Outcome => Phase::Reporting,
            Self::Done => Phase::Done,
        }
    }
}
