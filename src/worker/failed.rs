//! An action failed: its work outside may still run, for instance if the action timed out.

use tokio::time::Instant;

use super::{InvocationError, Summary, Worker};
use crate::actions::{Abandoned, Remains};
use crate::job::ActionTypeId;

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
        let types = self.polled(|served| served.action_type == *action_type);
        let failed = Abandoned { execution_id: execution_id.to_owned(), token: None };
        let remains = self
            .stop_at_each(&types, &failed, deadline, |served, failed| served.action.stop_failed_boxed(failed))
            .await?;
        let looked = remains.iter().any(|remains| *remains != Remains::Ignored);
        let stopped = remains.iter().filter(|remains| **remains == Remains::Stopped).count();
        let summary = Summary { stopped, ..Summary::default() };
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
