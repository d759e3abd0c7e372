//! Why an invocation counts as failed.

use crate::job::ActionTypeId;
use crate::ledger::LedgerError;
use crate::queue::InvalidInvokeJob;

/// Why an invocation counts as failed, so that the function's error metric shows it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// CodePipeline answered no poll at all.
    #[error("CodePipeline answered none of the {0} polls (the log says why)")]
    NothingPolled(usize),
    /// Jobs may hang until their action times out.
    #[error(
        "{unreported} claimed jobs could not be reported, and the acknowledgement of {unknown} is unanswered (the log says \
         which): they may hang until their actions time out, unless the worker has a ledger"
    )]
    Unreported {
        /// Claimed jobs whose report CodePipeline has not accepted.
        unreported: usize,
        /// Jobs whose acknowledgement is unanswered.
        unknown: usize,
    },
    /// The worker took no jobs, because one that it takes without the ledger could hang.
    #[error(
        "{0} jobs were not taken, because the ledger could not be reached (the log says why): polled jobs are offered again, \
         a Lambda Invoke action's job hangs until its action times out"
    )]
    NoLedger(usize),
    /// CodePipeline denied acknowledgements, most likely because a permission is missing.
    #[error(
        "CodePipeline denied {0} acknowledgements (the log says why): until that is fixed, other workers take the jobs or their \
         actions time out"
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
