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
        "{unreported} claimed jobs could not be reported, and of {unknown} nobody knows whether they were acknowledged \
         (the log says which): they may hang until their action times out, unless a ledger has them looked after"
    )]
    Unreported {
        /// Claimed jobs whose report the service has not taken.
        unreported: usize,
        /// Jobs whose acknowledgement is in doubt.
        unknown: usize,
    },
    /// Jobs were left alone, since one that is taken without the ledger could hang.
    #[error(
        "{0} jobs were not taken, because the ledger could not be reached (the log says why): polled jobs are offered again, \
         a Lambda Invoke action's job hangs until its action times out"
    )]
    NoLedger(usize),
    /// CodePipeline refused acknowledgements, most likely because a permission is missing.
    #[error(
        "CodePipeline refused {0} acknowledgements (the log says why): until that is mended the jobs are left to other workers, or \
         time out"
    )]
    Denied(usize),
    /// Jobs whose worker died could not be looked for.
    #[error("jobs of workers that died could not be looked for: {0}")]
    NotRecovered(LedgerError),
    /// A `CodePipeline.job` event without a usable job.
    #[error(transparent)]
    Invoked(#[from] InvalidInvokeJob),
    /// The work outside of an abandoned or cancelled action may run on.
    #[error("the work outside of the action execution {execution_id} could not be stopped: {reason}")]
    NotStopped {
        /// The action execution.
        execution_id: String,
        /// The action's own words.
        reason: String,
    },
    /// Nothing tells which work outside to stop.
    #[error(
        "an action of the type {0} was abandoned or cancelled, but the event names no action execution, so its work could not be \
         stopped: send the event as EventBridge delivers it"
    )]
    UnnamedExecution(ActionTypeId),
}
