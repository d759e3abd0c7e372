//! From the result of the work to a report that the service has taken: outcome into the ledger, report, stop the work outside
//! that no further job comes for, mark done.

mod sending;
mod stopping;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::execute::Executed;
use super::keeper::Keeper;
use super::protocol::{Command, Event};
use super::will::Will;
use super::{BEFORE_DEADLINE, End};
use crate::actions::{Abandoned, Served};
use crate::job::Failure;
use crate::queue::{Claim, Queue};
use crate::redact::Redactor;
use crate::report::{Report, report};
use sending::{Answer, Sent, send};
use stopping::{Stopped, stop};

/// Of the time for reporting, the report itself has at least this much; the ledger gets what is before it.
const REPORT: Duration = Duration::from_secs(6);

/// How long to try to mark a job as done.
const MARKING: Duration = Duration::from_secs(5);

/// What reporting a job takes.
pub(super) struct Reporting<'a> {
    pub(super) queue: &'a Queue,
    pub(super) claim: Claim,
    pub(super) keeper: &'a mut Keeper,
    /// What the job's action is, or may be; empty if it has none.
    pub(super) served: &'a [Arc<Served>],
    /// The invocation's.
    pub(super) deadline: Instant,
}

/// Whether another worker may have reported the job. Then a refused report says nothing about the work outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// No other worker began the job.
    None,
    /// The job was delivered twice, or its first worker died at work.
    Perhaps,
}

/// What becomes of the work outside if the report is refused because the job is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfRefused {
    /// It is stopped: the action was abandoned.
    Stop,
    /// It is stopped if the report was of a failure. A later job may need what a continuation left running.
    StopFailed,
    /// It is left running: another worker may have reported that it continues.
    Leave,
}

impl Reporting<'_> {
    /// Reports, until the deadline, and stops the work that no further job comes for: the report was of a failure, or of a
    /// continuation that the service refused because the action was abandoned. Where there are `others`, a refusal may mean
    /// that one of them was faster. A later job then needs the work, so it is left running.
    pub(super) async fn report(self, executed: Executed, others: Others) -> End {
        let Executed { result, redactor, running, .. } = executed;
        let reportable = result.map(|outcome| self.claim.reportable(outcome));
        let will = Will::new(report(reportable, &redactor), running.as_ref(), &redactor);
        self.keeper.ended(will.write());
        match self.keeper.settle(self.deadline - BEFORE_DEADLINE - REPORT).await {
            Command::Report => {
                let if_refused = if others == Others::None { IfRefused::Stop } else { IfRefused::Leave };
                self.finish(will.report, running, &redactor, if_refused).await
            }
            _ => {
                tracing::error!("the ledger says that another worker holds the job, so nothing is reported");
                End::Over
            }
        }
    }

    /// Sends what a worker that died had to report. That worker may have reported a failure and died before it stopped the
    /// work outside, so this one stops it, even if the report is refused.
    pub(super) async fn report_again(self) -> End {
        let Will { report, running } = Will::read(self.keeper.outcome());
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
        let Self { queue, claim, keeper, served, deadline } = self;
        let until = deadline - BEFORE_DEADLINE;
        let Sent { end, answer, was_failure } = send(queue, claim, report, redactor, until, keeper.is_kept()).await;
        let is_over = match answer {
            Answer::Final => true,
            Answer::NotInProgress => keeper.is_over(),
            Answer::None => false,
        };
        let stops = answer != Answer::None
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
        keeper.tell(match (&answer, &running) {
            (Answer::None, _) => Event::GivenUp,
            (_, Some(_)) if is_over => Event::ReportedButRunning,
            (_, None) if is_over => Event::Reported,
            _ => Event::NotInProgress,
        });
        if let Some(running) = &running {
            let stopped = stop(served, running, redactor, time_to_stop(until)).await;
            let later = stopped == Stopped::NotNow && keeper.may_be_stopped_later();
            if later {
                tracing::warn!(
                    action.execution_id = running.execution_id,
                    "a later invocation stops the work outside, since it could not be stopped now"
                );
            }
            keeper.tell(if later { Event::GivenUp } else { Event::Stopped });
        }
        // An entry that says what was reported does no harm: it would be reported again, and refused. One that doesn't say it
        // would have the action run again.
        let latest = if keeper.has_told_outcome() { until.min(Instant::now() + MARKING) } else { until };
        keeper.settle(latest).await;
        end
    }
}

/// Until when the work outside may be stopped: the job is marked after that, so some of the time is left for it.
fn time_to_stop(until: Instant) -> Instant {
    let now = Instant::now();
    let left = until.saturating_duration_since(now);
    now + stopping::LONGEST.min(left.saturating_sub(MARKING).max(left / 2))
}

/// Fails a job that is not run. No ledger is needed: two such reports say the same.
pub(super) async fn refuse(queue: &Queue, claim: Claim, why: Failure, deadline: Instant) -> End {
    let redactor = Redactor::default();
    send(queue, claim, report(Err(why), &redactor), &redactor, deadline - BEFORE_DEADLINE, false).await.end
}
