//! Stops work outside that no further job comes for.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::actions::{Abandoned, Served};
use crate::job::FailureKind;
use crate::lifecycle::swallow;
use crate::lifecycle::turn::panicked;
use crate::redact::Redactor;

/// How long stopping may take, if there is as much time.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// Whether another try may stop what could not be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It was stopped, or another try would not stop it either.
    Final,
    /// There was no answer in time.
    NotNow,
}

/// Stops the work at each entry that serves its action type. Nothing is left to report with, so a failure to
/// stop is only logged.
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
    // The future is dropped within, too: that can panic as well.
    let stopping =
        AssertUnwindSafe(async { timeout_at(until, served.action.stop_boxed(running)).await }).catch_unwind();
    let stopped = stopping.await.unwrap_or_else(|payload| {
        swallow(payload);
        Ok(Err(panicked()))
    });
    match stopped {
        Ok(Ok(())) => {
            tracing::info!(action.execution_id = running.execution_id, "stopped the work outside");
            Stopped::Final
        }
        Ok(Err(failure)) => {
            let reason = redactor.redact(&failure.message);
            tracing::error!(action.execution_id = running.execution_id, %reason, "the work outside could not be stopped");
            if failure.kind == FailureKind::SystemUnavailable { Stopped::NotNow } else { Stopped::Final }
        }
        Err(_) => {
            tracing::error!(
                action.execution_id = running.execution_id,
                "the work outside could not be stopped in time"
            );
            Stopped::NotNow
        }
    }
}
