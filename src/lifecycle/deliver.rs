//! From the result of the work to a report that the service has taken.

use std::time::Duration;

use tokio::time::Instant;

use super::End;
use crate::job::{Failure, FailureKind, Outcome};
use crate::queue::custom::CustomQueue;
use crate::queue::{Claim, Delivered, Undelivered};
use crate::redact::Redactor;
use crate::report::{Report, report};

/// No call is under way when Lambda freezes or kills the process.
const BEFORE_DEADLINE: Duration = Duration::from_secs(1);

/// Reports, until `deadline`. A report that the service refuses for its content becomes a failure report, since a claimed
/// job without a report hangs its pipeline for hours.
pub(super) async fn deliver(
    queue: &CustomQueue,
    mut claim: Claim,
    result: Result<Outcome, Failure>,
    redactor: &Redactor,
    deadline: Instant,
) -> End {
    let until = deadline - BEFORE_DEADLINE;
    let mut next = report(result, redactor);
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
                let failure = Failure::new(FailureKind::JobFailed, message);
                next = report(Err(failure), redactor);
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
