//! After an action failed: stops its work outside, which may still run if the action timed out.

use tokio::time::Instant;

use super::{InvocationError, Summary, Worker, span};
use crate::actions::{Abandoned, Remains};
use crate::job::ActionTypeId;
use crate::metrics::counted;

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
        let mut meter = self.lifecycle.measure_invocation();
        let types = self.polled(|served| served.action_type == *action_type);
        let failed = Abandoned { execution_id: execution_id.to_owned(), token: None };
        let remains = self
            .stop_at_each(&types, &failed, deadline, |served, failed| served.action.stop_failed_boxed(failed))
            .await?;
        let looked = remains.iter().any(|remains| *remains != Remains::Ignored);
        let stopped = remains.iter().filter(|remains| **remains == Remains::Stopped).count();
        let summary = Summary { stopped, ..Summary::default() };
        meter.values.actions_stopped = counted(stopped);
        let span = span::of_action(action_type, execution_id);
        span.in_scope(|| match (looked, stopped) {
            (false, _) => tracing::info!("ignored the failure of an action: its kind leaves no work that still runs"),
            (true, 0) => tracing::info!("an action failed, and none of its work runs"),
            (true, _) => tracing::info!(stopped, "an action failed; stopped its work outside"),
        });
        Ok(summary)
    }
}
