//! After an action failed: stops its work outside, which may still run if the action timed out.

use tokio::time::Instant;

use super::{InvocationError, Summary, Worker};
use crate::actions::{Abandoned, Remains};
use crate::job::ActionTypeId;

impl Worker {
    /// Stops the work outside of a failed action, if it still runs. Only a state machine can tell. Other kinds ignore the event: their
    /// failure was this worker's report, after which it stopped the work.
    ///
    /// # Errors
    /// Returns an error if the work may still run.
    pub async fn action_failed(
        &self,
        action_type: &ActionTypeId,
        execution_id: &str,
        deadline: Instant,
    ) -> Result<Summary, InvocationError> {
        let types = self.polled(|served| served.action_type == *action_type);
        let failed = Abandoned { execution_id: execution_id.to_owned(), token: None };
        let remains = self
            .stop_at_each(&types, &failed, deadline, |served, failed| served.action.stop_failed_boxed(failed))
            .await?;
        let looked = remains.iter().any(|remains| *remains != Remains::Ignored);
        let stopped = remains.iter().filter(|remains| **remains == Remains::Stopped).count();
        let summary = Summary { stopped, ..Summary::default() };
        let said = match (looked, summary.stopped) {
            (false, _) => "ignored the failure of an action: its kind leaves no work that still runs",
            (true, 0) => "an action failed, and none of its work runs",
            (true, _) => "an action failed; stopped its work outside",
        };
        tracing::info!(
            actionExecutionId = execution_id,
            actionType = %action_type,
            stopped = summary.stopped,
            "{said}"
        );
        Ok(summary)
    }
}
