//! Reports the outcome of a job: writes it into the ledger, sends the report, stops work outside that no later job resumes, and
//! marks the job as done.

mod sending;
mod stopping;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::execute::Executed;
use super::keeper::Keeper;
use super::place::Unreported;
use super::protocol::{Command, Event};
use super::will::Will;
use super::{BEFORE_DEADLINE, End};
use crate::actions::{Abandoned, Served};
use crate::job::Failure;
use crate::queue::{Claim, Queue};
use crate::redact::Redactor;
use crate::report::{Report, report};
use sending::{Response, Sent, send};
use stopping::{Stopped, stop};

/// How much of the time for reporting the report itself keeps. The ledger gets the time before it.
const REPORT: Duration = Duration::from_secs(6);

/// How long marking a job as done may take.
const MARKING: Duration = Duration::from_secs(5);

/// A job to report, with all that reporting needs.
pub(super) struct Reporting<'a> {
    pub(super) queue: &'a Queue,
    pub(super) claim: Claim,
    pub(super) keeper: &'a mut Keeper,
    /// The entries of ACTIONS that may have run the job. May be empty.
    pub(super) served: &'a [Arc<Served>],
    /// The invocation's deadline.
    pub(super) deadline: Instant,
    /// Dropped when the job has been reported.
    pub(super) unreported: Option<Unreported>,
}

/// Whether another worker may have reported the job. Then a refused report does not mean that the action was abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// No other worker started the job.
    None,
    /// The job's event may have arrived twice, or its first worker died.
    Perhaps,
}

/// The fate of the work outside if CodePipeline refuses the report because the job has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfRefused {
    /// The worker stops it, because the action was abandoned.
    Stop,
    /// The worker stops it if the report was a failure. A later job may need the work of a continuation.
    StopFailed,
    /// It runs on, because another worker may have reported a continuation.
    Leave,
}

impl Reporting<'_> {
    /// Reports until the deadline, and stops work outside that no later job resumes. That is the work of a failed job, and of a
    /// continuation that CodePipeline refused because the action was abandoned. If there may be `others`, a refusal can also mean
    /// that another worker was faster. A later job then needs the work, so it runs on.
    pub(super) async fn report(self, executed: Executed, others: Others) -> End {
        let Executed { result, redactor, running, .. } = executed;
        let reportable = result.map(|outcome| self.claim.reportable(outcome));
        let report = report(reportable, self.keeper.execution_id(), &redactor);
        let will = Will::new(report, running.as_ref(), &redactor);
        self.keeper.ended(will.write());
        match self.keeper.settle(self.deadline - BEFORE_DEADLINE - REPORT).await {
            Command::Report => {
                let if_refused = if others == Others::None { IfRefused::Stop } else { IfRefused::Leave };
                self.finish(will.report, running, &redactor, if_refused).await
            }
            _ => {
                tracing::error!("reported nothing: the ledger says that another worker holds the job");
                End::Over
            }
        }
    }

    /// Sends the report of a dead worker. That worker may have reported a failure and died before it stopped the work outside. So
    /// this one stops the work even if CodePipeline refuses the report.
    pub(super) async fn report_again(self) -> End {
        let Will { report, running } = Will::read(self.keeper.outcome(), self.keeper.execution_id());
        let if_refused = if self.keeper.found_first_outcome() { IfRefused::StopFailed } else { IfRefused::Leave };
        self.finish(report, running, &Redactor::default(), if_refused).await
    }

    async fn finish(
        self,
        report: Report,
        running: Option<Abandoned>,
        redactor: &Redactor,
        if_refused: IfRefused,
    ) -> End {
        let Self { queue, claim, keeper, served, deadline, unreported } = self;
        let until = deadline - BEFORE_DEADLINE;
        let run = keeper.execution_id();
        note_external_id(&report, run);
        let sent = send(queue, claim, report, run, redactor, until, keeper.is_kept()).await;
        let Sent { end, response, was_failure } = sent;
        let is_over = match response {
            Response::Final => true,
            Response::NotInProgress => keeper.is_over(),
            Response::Unanswered => false,
        };
        let stops = response != Response::Unanswered
            && (is_over || was_failure)
            && match end {
                End::Succeeded | End::Continued => false,
                End::Over => match if_refused {
                    IfRefused::Stop => true,
                    IfRefused::StopFailed => was_failure,
                    IfRefused::Leave => false,
                },
                _ => true,
            };
        let running = running.filter(|_| stops);
        keeper.tell(match (&response, &running) {
            (Response::Unanswered, _) => Event::GivenUp,
            (_, Some(_)) if is_over => Event::ReportedButRunning,
            (_, None) if is_over => Event::Reported,
            _ => Event::NotInProgress,
        });
        if let Some(running) = &running {
            let stopped = stop(served, running, redactor, time_to_stop(until)).await;
            let later = stopped == Stopped::NotNow && keeper.may_be_stopped_later();
            if later {
                tracing::warn!("could not stop the work outside now; a later invocation retries");
            }
            keeper.tell(if later { Event::GivenUp } else { Event::Stopped });
        }
        // The mark changes nothing for other jobs.
        drop(unreported);
        // An entry with the outcome does no harm: a later report is refused. An entry without it would make the action run again,
        // so this write gets all the time that is left.
        let latest = if keeper.has_recorded_outcome() { until.min(Instant::now() + MARKING) } else { until };
        keeper.settle(latest).await;
        end
    }
}

/// Adds the id that the action gave to each later line of the job, because the console's link searches for it. A result that holds
/// a secret has no id any more.
fn note_external_id(report: &Report, run: &str) {
    if let Some(id) = report.external_execution_id().filter(|id| *id != run) {
        tracing::Span::current().record("externalExecutionId", id);
    }
}

/// Until when the worker may stop the work outside. It keeps some time for the mark that follows.
fn time_to_stop(until: Instant) -> Instant {
    let now = Instant::now();
    let left = until.saturating_duration_since(now);
    now + stopping::LONGEST.min(left.saturating_sub(MARKING).max(left / 2))
}

/// Fails a job that the worker does not run. It needs no ledger, because a second report would say the same.
pub(super) async fn refuse(queue: &Queue, claim: Claim, why: Failure, deadline: Instant) -> End {
    let redactor = Redactor::default();
    // The event of such a job does not name its run.
    let run = claim.key().id().to_owned();
    let report = report(Err(why), &run, &redactor);
    send(queue, claim, report, &run, &redactor, deadline - BEFORE_DEADLINE, false).await.end
}
