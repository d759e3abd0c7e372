//! From the result of the work to a report that the service has taken. Work outside for which no further job will come is
//! stopped.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::execute::{Executed, panicked};
use super::{End, swallow};
use crate::actions::{Abandoned, Served};
use crate::job::{ActionTypeId, Failure, FailureKind};
use crate::queue::{Claim, Delivered, Queue, Undelivered};
use crate::redact::Redactor;
use crate::report::{Report, report};

/// No call is under way when Lambda freezes or kills the process.
const BEFORE_DEADLINE: Duration = Duration::from_secs(1);

/// How long stopping may take, if there is as much time.
const STOPPING: Duration = Duration::from_secs(30);

/// Reports, until `deadline`, and stops what runs on for nobody: the report was of a failure, or of a continuation that
/// the service would not have because the action was abandoned. A job that was `perhaps_twice` delivered may be over because
/// the other delivery was faster: both look after the same work, so that is left running.
pub(super) async fn deliver(
    queue: &Queue,
    claim: Claim,
    executed: Executed,
    served: &Served,
    perhaps_twice: bool,
    deadline: Instant,
) -> End {
    let until = deadline - BEFORE_DEADLINE;
    let reportable = executed.result.map(|outcome| claim.reportable(outcome));
    let next = report(reportable, &executed.redactor);
    let end = send(queue, claim, next, &executed.redactor, until).await;
    let by_another = perhaps_twice && end == End::Over;
    if let Some(running) = executed.running
        && !by_another
        && !matches!(end, End::Continued | End::Undelivered)
    {
        stop(served, &running, &executed.redactor, until.min(Instant::now() + STOPPING)).await;
    }
    end
}

/// Fails a job of an action type that is not configured.
pub(super) async fn refuse(queue: &Queue, claim: Claim, action_type: &ActionTypeId, deadline: Instant) -> End {
    let message = format!("the worker has no action for {action_type}: add one to ACTIONS of the function");
    let redactor = Redactor::default();
    let next = report(Err(Failure::new(FailureKind::ConfigurationError, message)), &redactor);
    send(queue, claim, next, &redactor, deadline - BEFORE_DEADLINE).await
}

/// A report that the service refuses for its content becomes a failure report, since a claimed job without a report hangs
/// its pipeline for hours.
async fn send(queue: &Queue, mut claim: Claim, mut next: Report, redactor: &Redactor, until: Instant) -> End {
    loop {
        let end = end_of(&next);
        let was_failure = matches!(next, Report::Failure(_));
        log_result(&next);
        match queue.report(claim, next, until).await {
            Ok(Delivered::Accepted) => {
                tracing::info!(result = ?end, "reported");
                return end;
            }
            Ok(Delivered::AlreadyOver { doubtful: true }) => {
                tracing::info!(result = ?end, "reported; an earlier try, whose answer got lost, took effect");
                return end;
            }
            Ok(Delivered::AlreadyOver { doubtful: false }) => {
                tracing::warn!(
                    result = ?end,
                    "the job was over before it was reported: stopped, timed out, or finished by another"
                );
                return End::Over;
            }
            Ok(Delivered::Rejected { claim: given_back, reason }) if !was_failure => {
                tracing::error!(reason, "CodePipeline refused the report for its content; reporting a failure instead");
                let message = format!("the action's result was refused by CodePipeline: {reason}");
                next = report(Err(Failure::new(FailureKind::JobFailed, message)), redactor);
                claim = given_back;
            }
            Ok(Delivered::Rejected { reason, .. }) => {
                tracing::error!(
                    reason,
                    "CodePipeline refused the failure report; the job hangs until its action times out"
                );
                return End::Undelivered;
            }
            Err(undelivered) => {
                let Undelivered { error, .. } = *undelivered;
                tracing::error!(%error, result = ?end, "the report was not delivered; the job hangs until its action times out");
                return End::Undelivered;
            }
        }
    }
}

/// Nothing is left to report with, so the log is all that a failure to stop can go to.
async fn stop(served: &Served, running: &Abandoned, redactor: &Redactor, until: Instant) {
    // The future is dropped within, too: that can panic as well.
    let stopping =
        AssertUnwindSafe(async { timeout_at(until, served.action.stop_boxed(running)).await }).catch_unwind();
    let stopped = stopping.await.unwrap_or_else(|payload| {
        swallow(payload);
        Ok(Err(panicked()))
    });
    match stopped {
        Ok(Ok(())) => tracing::info!(action.execution_id = running.execution_id, "stopped the work outside"),
        Ok(Err(failure)) => {
            let reason = redactor.redact(&failure.message);
            tracing::error!(action.execution_id = running.execution_id, %reason, "the work outside could not be stopped");
        }
        Err(_) => {
            tracing::error!(
                action.execution_id = running.execution_id,
                "the work outside could not be stopped in time"
            );
        }
    }
}

fn end_of(report: &Report) -> End {
    match report {
        Report::Success(_) => End::Succeeded,
        Report::Continuation(_) => End::Continued,
        Report::Failure(_) => End::Failed,
    }
}

/// What a failed job's log line says is our own words about it; what the work itself printed goes to CodePipeline only.
fn log_result(report: &Report) {
    if let Report::Failure(failure) = report {
        tracing::warn!(failure.type = ?failure.kind, failure.reason = failure.reason, "the job failed");
    }
}
