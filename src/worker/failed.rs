//! An action failed: its work outside may still run, for instance if the action timed out.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::{InvocationError, Summary, Worker};
use crate::actions::{Abandoned, Remains};
use crate::job::ActionTypeId;
use crate::lifecycle::swallow;

impl Worker {
    /// Stops the work outside of an action that CodePipeline says has failed, if it still runs. Only state machines can tell.
    /// Other kinds of action ignore it: where they failed, this worker reported it, and stopped what there was to stop.
    ///
    /// # Errors
    /// When the work may be running on.
    pub async fn action_failed(
        &self,
        action_type: &ActionTypeId,
        execution_id: &str,
        deadline: Instant,
    ) -> Result<Summary, InvocationError> {
        let mut summary = Summary::default();
        let (mut problem, mut looked) = (None, false);
        let failed = Abandoned { execution_id: execution_id.to_owned(), token: None };
        // A type may have several entries, one for each queryParam; the event does not tell whose the action was.
        for served in self.polled(|served| served.action_type == *action_type) {
            let until = deadline - self.lifecycle.reporting;
            // The future is dropped within, too: that can panic as well.
            let stopping = async { timeout_at(until, served.action.stop_failed_boxed(&failed)).await };
            match AssertUnwindSafe(stopping).catch_unwind().await {
                Ok(Ok(Ok(Remains::Ignored))) => {}
                Ok(Ok(Ok(Remains::Nothing))) => looked = true,
                Ok(Ok(Ok(Remains::Stopped))) => {
                    looked = true;
                    summary.stopped += 1;
                }
                Ok(Ok(Err(failure))) => problem = problem.or(Some(failure.message)),
                Ok(Err(_)) => problem = problem.or(Some("the invocation's deadline came first".into())),
                Err(payload) => {
                    swallow(payload);
                    problem = problem.or(Some("the action panicked".into()));
                }
            }
        }
        if let Some(reason) = problem {
            return Err(InvocationError::NotStopped { execution_id: execution_id.to_owned(), reason });
        }
        let said = match (looked, summary.stopped) {
            (false, _) => "an action of a type that leaves nothing running has failed: nothing to do",
            (true, 0) => "an action has failed, and nothing of it runs",
            (true, _) => "an action has failed, and its work outside was stopped",
        };
        tracing::info!(
            action.execution_id = execution_id,
            action.type = %action_type,
            stopped = summary.stopped,
            "{said}"
        );
        Ok(summary)
    }
}
