//! Stops the work outside of an action that has ended, at every entry whose job it may have been.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{InvocationError, Worker};
use crate::actions::{Abandoned, Served};
use crate::job::Failure;
use crate::lifecycle::swallow;

impl Worker {
    /// Calls `stop` for each of `types`: an action type may have several entries, one for each `queryParam`, and the event does
    /// not tell whose the action was. Returns what each said.
    ///
    /// # Errors
    /// With the first that failed, after all were called.
    pub(super) async fn stop_at_each<'a, T>(
        &self,
        types: &'a [Arc<Served>],
        over: &'a Abandoned,
        deadline: Instant,
        stop: impl Fn(&'a Served, &'a Abandoned) -> BoxFuture<'a, Result<T, Failure>>,
    ) -> Result<Vec<T>, InvocationError> {
        let until = deadline - self.lifecycle.reporting;
        let (mut said, mut problem) = (Vec::new(), None);
        for served in types {
            // The future is dropped within, too: that can panic as well.
            let stopping = async { timeout_at(until, stop(served, over)).await };
            let reason = match AssertUnwindSafe(stopping).catch_unwind().await {
                Ok(Ok(Ok(answer))) => {
                    said.push(answer);
                    continue;
                }
                Ok(Ok(Err(failure))) => failure.message,
                Ok(Err(_)) => "the invocation's deadline came first".into(),
                Err(payload) => {
                    swallow(payload);
                    "the action panicked".into()
                }
            };
            problem = problem.or(Some(reason));
        }
        match problem {
            Some(reason) => Err(InvocationError::NotStopped { execution_id: over.execution_id.clone(), reason }),
            None => Ok(said),
        }
    }
}
