//! From the result of the work to a report that the service has taken: outcome into the ledger, report, mark done. Work
//! outside for which no further job will come is stopped.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::execute::Executed;
use super::keeper::Keeper;
use super::protocol::{Command, Event};
use super::turn::panicked;
use super::will::Will;
use super::{BEFORE_DEADLINE, End, swallow};
use crate::actions::{Abandoned, Served};
use crate::job::{Failure, FailureKind};
use crate::queue::{Claim, Delivered, Queue};
use crate::redact::Redactor;
use crate::report::{Report, report};

/// Of the time for reporting, the report itself has at least this much; the ledger gets what is before it.
const REPORT: Duration = Duration::from_secs(6);

/// How long to try to mark a job as done.
const MARKING: Duration = Duration::from_secs(5);

/// How long stopping may take, if there is as much time.
const STOPPING: Duration = Duration::from_secs(30);

/// What delivering takes.
pub(super) struct Delivery<'a> {
    pub(super) queue: &'a Queue,
    pub(super) claim: Claim,
    pub(super) keeper: &'a mut Keeper,
    /// What the job's action is, or may be; empty if it has none.
    pub(super) served: &'a [Arc<Served>],
    /// The invocation's.
    pub(super) deadline: Instant,
}

impl Delivery<'_> {
    /// Reports, until the deadline, and stops what runs on for nobody: the report was of a failure, or of a continuation
    /// that the service would not have because the action was abandoned. A job that this worker looks after `with_others`,
    /// since it was delivered twice or adopted, may be over because one of those was faster: they look after the same work,
    /// so that is left running.
    pub(super) async fn deliver(self, executed: Executed, with_others: bool) -> End {
        let Executed { result, redactor, running, .. } = executed;
        let reportable = result.map(|outcome| self.claim.reportable(outcome));
        let will = Will::new(report(reportable, &redactor), running.as_ref(), &redactor);
        self.keeper.ended(will.write());
        match self.keeper.settle(self.deadline - BEFORE_DEADLINE - REPORT).await {
            Command::Report => self.send(will.report, running, &redactor, with_others).await,
            _ => {
                tracing::error!("the ledger says that another worker holds the job, so nothing is reported");
                End::Over
            }
        }
    }

    /// Sends what a worker that died had to report. What it was about may have been reported already: then the job is over,
    /// and whatever goes on outside is looked after by the job that came next.
    pub(super) async fn deliver_again(self) -> End {
        let Will { report, running } = Will::read(self.keeper.outcome());
        self.send(report, running, &Redactor::default(), true).await
    }

    async fn send(self, report: Report, running: Option<Abandoned>, redactor: &Redactor, with_others: bool) -> End {
        let Self { queue, claim, keeper, served, deadline } = self;
        let until = deadline - BEFORE_DEADLINE;
        let Sent { end, answer } = send(queue, claim, report, redactor, until, keeper.is_kept()).await;
        match answer {
            Answer::Final => keeper.tell(Event::Reported),
            Answer::NotInProgress => keeper.not_in_progress(),
            Answer::None => keeper.tell(Event::GivenUp),
        }
        // An entry that says what was reported does no harm: it would be reported again, and refused. One that doesn't say it
        // would have the action run again.
        let latest = if keeper.has_told_outcome() { until.min(Instant::now() + MARKING) } else { until };
        keeper.settle(latest).await;
        let by_another = with_others && end == End::Over;
        if let Some(running) = running
            && !by_another
            && end != End::Continued
            && answer != Answer::None
        {
            let until = until.min(Instant::now() + STOPPING);
            for served in served {
                stop(served, &running, redactor, until).await;
            }
        }
        end
    }
}

/// Fails a job that is not run. No ledger is needed: two such reports say the same.
pub(super) async fn refuse(queue: &Queue, claim: Claim, why: Failure, deadline: Instant) -> End {
    let redactor = Redactor::default();
    send(queue, claim, report(Err(why), &redactor), &redactor, deadline - BEFORE_DEADLINE, false).await.end
}

/// What became of a report.
struct Sent {
    end: End,
    answer: Answer,
}

/// What the service said of a report.
#[derive(PartialEq)]
enum Answer {
    /// It has the report; or it will never have one: what it refuses of a failure it refuses each time.
    Final,
    /// The job is not in progress, be it for an earlier try of ours.
    NotInProgress,
    /// Nothing that can be relied on.
    None,
}

/// A report that the service refuses for its content becomes a failure report, since a claimed job without a report hangs
/// its pipeline for hours.
async fn send(
    queue: &Queue,
    mut claim: Claim,
    mut next: Report,
    redactor: &Redactor,
    until: Instant,
    is_kept: bool,
) -> Sent {
    let then = if is_kept { "a later invocation sends it again" } else { "the job hangs until its action times out" };
    loop {
        let end = end_of(&next);
        let was_failure = matches!(next, Report::Failure(_));
        log_result(&next);
        match queue.report(claim, &next, until).await {
            Ok(Delivered::Accepted) => {
                tracing::info!(result = ?end, "reported");
                return Sent { end, answer: Answer::Final };
            }
            Ok(Delivered::AlreadyOver { doubtful: true }) => {
                tracing::info!(result = ?end, "reported; an earlier try, whose answer got lost, took effect");
                return Sent { end, answer: Answer::NotInProgress };
            }
            Ok(Delivered::AlreadyOver { doubtful: false }) => {
                tracing::warn!(
                    result = ?end,
                    "the job was over before it was reported: stopped, timed out, or finished by another"
                );
                return Sent { end: End::Over, answer: Answer::NotInProgress };
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
                return Sent { end: End::Undelivered, answer: Answer::Final };
            }
            Err(error) => {
                tracing::error!(%error, result = ?end, "the report was not delivered; {then}");
                return Sent { end: End::Undelivered, answer: Answer::None };
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
