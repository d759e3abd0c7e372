//! The events that a worker learns, and its commands.

use super::{Aim, Exit, Seen};

/// An event that a worker learns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<V> {
    /// The write took effect and made this version.
    Written(V),
    /// The write's condition did not hold (HTTP 412), or another write was under way (409).
    Refused,
    /// The call has no response, or one that does not say whether it took effect.
    Unanswered,
    /// The entry; `None` if it does not exist.
    Found(Option<Seen<V>>),
    /// The acknowledgement was answered with `InProgress`.
    InProgress,
    /// The service did not give the job to this worker.
    NotGiven,
    /// The action has ended, or the worker has made a failure.
    Ended,
    /// CodePipeline accepted the report, or says that the job has ended. For a job that was certainly acknowledged, "not in
    /// progress" means over.
    Reported,
    /// CodePipeline says that the job is not in progress: it has ended, or it was never acknowledged.
    NotInProgress,
    /// As [`Event::Reported`], and work outside still runs that no further job resumes.
    ReportedButRunning,
    /// The work outside was stopped, or another try would not stop it either.
    Stopped,
    /// No time is left for another try.
    GivenUp,
}

/// A worker's next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command<V> {
    /// Write the entry.
    Write {
        /// The purpose of the write.
        aim: Aim,
        /// The version to replace; `None` creates the entry.
        over: Option<V>,
    },
    /// Read the entry.
    Read,
    /// Delete the entry if it still has this version.
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
    /// Leave the job.
    Leave(Exit),
}
