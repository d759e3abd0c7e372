//! Stops the work outside of one action, within a time limit and guarded against panics.

use std::fmt;

use tokio::time::{Instant, timeout_at};

use super::panics::{guarded, panicked};
use crate::job::{Failure, FailureKind};

/// Why work outside could not be stopped.
pub(crate) enum NotStopped {
    /// The action failed to stop it, or panicked.
    Failed(Failure),
    /// The action did not return in time.
    TimedOut,
}

impl NotStopped {
    /// Whether another try may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.kind == FailureKind::SystemUnavailable,
            Self::TimedOut => true,
        }
    }
}

impl fmt::Display for NotStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => f.write_str(&failure.message),
            Self::TimedOut => f.write_str("the action did not stop it in the time that was left"),
        }
    }
}

/// Calls `stop`, which stops the work of one action, and awaits it until then. A panic counts as a failure.
pub(crate) async fn stop_by<T, F>(until: Instant, stop: impl FnOnce() -> F) -> Result<T, NotStopped>
where
    F: Future<Output = Result<T, Failure>>,
{
    match guarded(async { timeout_at(until, stop()).await }).await {
        Some(Ok(result)) => result.map_err(NotStopped::Failed),
        Some(Err(_)) => Err(NotStopped::TimedOut),
        None => Err(NotStopped::Failed(panicked())),
    }
}
