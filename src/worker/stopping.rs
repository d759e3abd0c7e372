//! Stops the work outside of an action that has ended, at every entry of ACTIONS that may have started it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{InvocationError, Worker};
use crate::actions::{Abandoned, Served};
use crate::job::Failure;
use crate::lifecycle::stop_by;

impl Worker {
    /// Calls `stop` for each of `types`: an action type may have several entries, one for each `queryParam`, and the event does
    /// not name the entry. Returns what each call returned.
    ///
    /// # Errors
    /// Returns the first error, after all calls.
    pub(super) async fn stop_at_each<'a, T>(
        &self,
        types: &'a [Arc<Served>],
        over: &'a Abandoned,
        deadline: Instant,
        stop: impl Fn(&'a Served, &'a Abandoned) -> BoxFuture<'a, Result<T, Failure>>,
    ) -> Result<Vec<T>, InvocationError> {
        let until = deadline - self.lifecycle.reporting;
        let (mut stopped, mut problem) = (Vec::new(), None);
        for served in types {
            match stop_by(until, || stop(served, over)).await {
                Ok(result) => stopped.push(result),
                Err(error) => problem = problem.or(Some(error.to_string())),
            }
        }
        match problem {
            Some(reason) => Err(InvocationError::NotStopped { execution_id: over.execution_id.clone(), reason }),
            None => Ok(stopped),
        }
    }
}
