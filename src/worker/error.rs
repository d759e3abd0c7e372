//! Why an invocation counts as failed.

use crate::job::ActionTypeId;
use crate::ledger::LedgerError;
use crate::queue::InvalidInvokeJob;

/// Why an invocation counts as failed, so that the function's error metric shows it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// CodePipeline answered no poll at all.
    #[error("CodePipeline answered no poll: the worker sent {0} (the log says why)")]
    NothingPolled(usize),
    /// Jobs may hang until their action times out.
    #[error(
        "{} could not be reported, and the acknowledgement of {unknown} is unanswered (the log says which): they may hang until \
         their actions time out, unless the worker has a ledger",
        counted(*.unreported, "claimed job")
    )]
    Unreported {
        /// Claimed jobs whose report CodePipeline has not accepted.
        unreported: usize,
        /// Jobs whose acknowledgement is unanswered.
        unknown: usize,
    },
    /// The worker took no jobs, because one that it takes without the ledger could hang.
    #[error(
        "could not reach the ledger, so {} {} not taken (the log says why). CodePipeline offers polled jobs again. A Lambda Invoke \
         job waits until its action times out",
        counted(*.0, "job"),
        if *.0 == 1 { "was" } else { "were" }
    )]
    NoLedger(usize),
    /// CodePipeline denied acknowledgements, most likely because a permission is missing.
    #[error(
        "CodePipeline denied {} (the log says why): until that is fixed, other workers take the jobs or their actions time out",
        counted(*.0, "acknowledgement")
    )]
    Denied(usize),
    /// The ledger could not be searched for jobs of workers that died.
    #[error("could not search the ledger for jobs of workers that died: {0}")]
    NotRecovered(LedgerError),
    /// A `CodePipeline.job` event without a usable job.
    #[error(transparent)]
    Invoked(#[from] InvalidInvokeJob),
    /// The work outside of an abandoned or cancelled action may run on.
    #[error("the work outside of the action execution {execution_id} could not be stopped: {reason}")]
    NotStopped {
        /// The action execution.
        execution_id: String,
        /// The action's message.
        reason: String,
    },
    /// The event does not say which work outside to stop.
    #[error(
        "an action of the type {0} was abandoned or cancelled, but the event names no action execution, so its work could not be \
         stopped: send the event as EventBridge delivers it"
    )]
    UnnamedExecution(ActionTypeId),
}

/// The number with its noun, in the singular for 1.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_is_counted_in_the_singular() {
        let unreported = |unreported| InvocationError::Unreported { unreported, unknown: 0 };
        for (error, one, more) in [
            (
                InvocationError::NoLedger as fn(usize) -> InvocationError,
                "so 1 job was not taken",
                "so 2 jobs were not taken",
            ),
            (unreported, "1 claimed job could", "2 claimed jobs could"),
            (InvocationError::Denied, "1 acknowledgement (", "2 acknowledgements ("),
        ] {
            assert!(error(1).to_string().contains(one), "{}", error(1));
            assert!(error(2).to_string().contains(more), "{}", error(2));
        }
    }
}
