//! Stops the work outside of a job that has ended, at every entry of ACTIONS that may have started it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actions::{Abandoned, Served};
use crate::lifecycle::stopping::stop_by;
use crate::redact::Redactor;

/// How long stopping may take, if that much time is left.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// Whether another try may stop the work that still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It was stopped, or another try would not stop it either.
    Final,
    /// The action or its service did not answer in time.
    NotNow,
}

/// Stops the work at each entry that serves its action type. The job has its report already, so a failure to stop the work is
/// only logged.
pub(super) async fn stop(served: &[Arc<Served>], running: &Abandoned, redactor: &Redactor, until: Instant) -> Stopped {
    let mut all = Stopped::Final;
    for served in served {
        if stop_one(served, running, redactor, until).await == Stopped::NotNow {
            all = Stopped::NotNow;
        }
    }
    all
}

async fn stop_one(served: &Served, running: &Abandoned, redactor: &Redactor, until: Instant) -> Stopped {
    match stop_by(until, || served.action.stop_boxed(running)).await {
        Ok(()) => {
            tracing::info!("stopped the work outside");
            Stopped::Final
        }
        Err(problem) => {
            let reason = problem.to_string();
            let reason = redactor.redact(&reason);
            // It may not have started: a service may not have received the start either.
            tracing::error!(%reason, "could not stop the work outside, which may run on");
            if problem.may_pass() { Stopped::NotNow } else { Stopped::Final }
        }
    }
}
