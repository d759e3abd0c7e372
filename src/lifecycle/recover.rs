//! Adopts the jobs of workers that died: finds them in the ledger's listing, and runs, fails or reports them.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::execute::Executed;
use super::hold::Holding;
use super::keeper::Keeper;
use super::orphan::{MOST_ADOPTIONS, Orphan, Orphans};
use super::place::Place;
use super::protocol::{Afterwards, Command, Exit, Offers};
use super::reporting::{Others, Reporting};
use super::{End, Invocation, Known, Lifecycle, Taken};
use crate::actions::{Abandoned, Served};
use crate::job::{Failure, FailureCode, FailureKind};
use crate::ledger::{Ledger, LedgerError, Listed, Phase};
use crate::metrics::JobMeter;
use crate::queue::{Claim, Details, QueueError};

const WORKER_DIED: FailureCode = FailureCode::new("WorkerDied");
const WORKER_DIED_REPEATEDLY: FailureCode = FailureCode::new("WorkerDiedRepeatedly");
const ACTION_NO_LONGER_SERVED: FailureCode = FailureCode::new("ActionNoLongerServed");
const JOB_NO_LONGER_VISIBLE: FailureCode = FailureCode::new("JobNoLongerVisible");

/// The worker does not adopt an entry that is younger than this, so it does not read it.
const YOUNGEST: Duration = Duration::from_secs(30);

/// How many entries are read at a time.
const READS: usize = 8;

/// How long adopting may take. It needs one write, and sometimes a read. The time is long because an unanswered
/// write that took effect leaves the job without a worker until the new lease has expired.
const ADOPT_WITHIN: Duration = Duration::from_secs(20);

/// How many jobs one invocation collects, because an outcome has up to 4 MiB. It reads the oldest entries first, or random ones if
/// there are more than this.
const AT_ONCE: usize = 50;

/// How long the calls before an adoption may take.
const LOOK: Duration = Duration::from_secs(5);

impl Lifecycle {
    /// Finds the jobs of workers that died, and sweeps old entries of finished jobs. Without a ledger it finds none.
    ///
    /// # Errors
    /// Returns an error if the ledger can't be listed, or if an entry can't be read and no job was found.
    pub async fn orphans(&self) -> Result<Orphans, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(Orphans::default()) };
        let listed = ledger.list().await?;
        let (done, entries): (Vec<_>, Vec<_>) = listed.into_iter().partition(Listed::is_done);
        let swept: Vec<_> = done.into_iter().filter(Listed::can_be_swept).collect();
        if !swept.is_empty() {
            // The next invocation sweeps what remains.
            match ledger.sweep(&swept).await {
                Ok(swept) => tracing::info!(swept, "swept entries of finished jobs out of the ledger"),
                Err(error) => {
                    tracing::warn!(%error, "could not sweep entries of finished jobs; the next invocation retries");
                }
            }
        }
        let oldest = Some(Orphans::oldest(&entries));
        let mut old: Vec<_> = entries.into_iter().filter(|listed| listed.age >= YOUNGEST).collect();
        if old.len() > AT_ONCE {
            // Entries that no worker can handle must not hold up the others forever.
            fastrand::shuffle(&mut old);
        } else {
            old.sort_by_key(|listed| Reverse(listed.age));
        }
        let reads = stream::iter(old.into_iter().map(|listed| Orphan::of(ledger, listed)));
        let (mut orphans, mut unread) = (Vec::new(), None);
        let mut reads = reads.buffer_unordered(READS);
        while orphans.len() < AT_ONCE
            && let Some(read) = reads.next().await
        {
            match read {
                Ok(orphan) => orphans.extend(orphan),
                Err(error) => {
                    tracing::error!(%error, "could not read an entry of the ledger; continuing with the others");
                    let is_silent = error.may_pass();
                    unread = Some(error);
                    // The reads run concurrently, so most others have finished.
                    if is_silent {
                        break;
                    }
                }
            }
        }
        unread.filter(|_| orphans.is_empty()).map_or(Ok(Orphans { jobs: orphans, oldest }), Err)
    }

    /// Adopts the job of a worker that died: sends its report, runs its action, or reports a failure. `served` are the entries of
    /// ACTIONS for its type, at least one.
    ///
    /// The job of a claiming entry needs an empty poll of its type, sent `quiet` ago in this invocation. The worker then marks the
    /// entry. A later invocation runs the job if its own poll is empty too.
    pub async fn adopt(
        &self,
        orphan: Orphan,
        served: &[Arc<Served>],
        quiet: Option<Duration>,
        invocation: Invocation,
    ) -> End {
        let meter = Arc::new(JobMeter::new(&self.metrics, orphan.action_type()));
        let end = self.adopt_measured(orphan, served, quiet, invocation, &meter).await;
        if matches!(end, End::Lost | End::NoLedger) {
            meter.discard();
        }
        end.measure(&meter)
    }

    async fn adopt_measured(
        &self,
        orphan: Orphan,
        served: &[Arc<Served>],
        quiet: Option<Duration>,
        invocation: Invocation,
        meter: &Arc<JobMeter>,
    ) -> End {
        let Some(ledger) = &self.ledger else { return End::Lost };
        let (mut afterwards, offers) = (orphan.afterwards(served), orphan.offers(quiet));
        let may_act = orphan.entry.phase != Phase::Claiming || offers == Offers::StillNone;
        let mut adoption = None;
        if may_act {
            // Call CodePipeline before the write: after it, a failed call would delay the next try by a whole lease.
            match self.plan(ledger, &orphan, served, invocation).await {
                Ok(Some(found)) => adoption = Some(found),
                Ok(None) => return End::Lost,
                Err(error) => {
                    tracing::error!(%error, "could not adopt a job whose worker died; the next invocation retries");
                    // This worker has nothing to report. The summary counts the failed adoption.
                    meter.discard();
                    return End::Unreported;
                }
            }
            if matches!(adoption, Some(Adoption { todo: Todo::Fail(_), .. })) {
                afterwards = Afterwards::Fail;
            }
        }
        let others = if orphan.is_claiming() { Others::None } else { Others::Perhaps };
        let Orphan { entry, version, .. } = orphan;
        let mut keeper = Keeper::adopting(ledger, invocation, entry, version, offers, afterwards);
        let latest = invocation.deadline - self.reporting;
        match (keeper.settle(latest.min(Instant::now() + ADOPT_WITHIN)).await, adoption) {
            (Command::Run | Command::Fail | Command::Report, Some(adoption)) => {
                tracing::warn!(todo = adoption.todo.name(), "adopted a job whose worker died");
                meter.note(|it| &mut it.jobs_adopted, 1);
                self.finish(adoption, &mut keeper, served, others, meter).await
            }
            (Command::Leave(Exit::Marked), _) => {
                tracing::info!(
                    "marked the entry of a job whose worker died: a later invocation adopts the job if it is not offered again"
                );
                End::Lost
            }
            (Command::Leave(exit), _) => End::of_orphan(exit),
            _ => End::Lost,
        }
    }

    /// Decides what to do for the job, and gets its claim. Returns `None` if there is nothing to do now.
    async fn plan(
        &self,
        ledger: &Ledger,
        orphan: &Orphan,
        served: &[Arc<Served>],
        invocation: Invocation,
    ) -> Result<Option<Adoption>, QueueError> {
        let until = (invocation.deadline - self.reporting).min(Instant::now() + LOOK);
        let claim = self.queue.adopt(orphan.job(), &orphan.entry.origin, until).await?;
        let todo = match &orphan.entry.phase {
            Phase::Reporting { .. } => Todo::Report,
            Phase::Held if orphan.afterwards(served) == Afterwards::Fail => Todo::Fail(died(orphan.entry.adoptions)),
            Phase::Held | Phase::Claiming => {
                let since = Instant::now();
                match self.queue.details(claim.key(), orphan.action_type(), until).await {
                    Ok(details) => match served.iter().find(|served| is_of(served, &details)) {
                        Some(served) => Todo::Run(Box::new(Known { details, since }), Arc::clone(served)),
                        None if orphan.is_claiming() => {
                            // The empty polls asked for another queryParam.
                            tracing::warn!("ignored a job whose worker died: no action in ACTIONS has its queryParam");
                            return Ok(None);
                        }
                        None => Todo::Fail(no_longer_served()),
                    },
                    // The job has ended, or is on offer because no worker acknowledged it. CodePipeline need not show such a job.
                    Err(QueueError::Refused { reason, .. }) if orphan.may_be_on_offer() => {
                        tracing::info!(reason, "ignored a job whose worker died: CodePipeline does not show it");
                        return Ok(None);
                    }
                    Err(QueueError::Refused { reason, .. }) if orphan.is_claiming() => {
                        orphan.forget(ledger, &reason).await;
                        return Ok(None);
                    }
                    // Most likely it has ended, and the report's response will say so.
                    Err(QueueError::Refused { reason, .. }) => Todo::Fail(no_longer_visible(&reason)),
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(Some(Adoption { claim, todo }))
    }

    async fn finish(
        &self,
        adoption: Adoption,
        keeper: &mut Keeper,
        served: &[Arc<Served>],
        others: Others,
        meter: &Arc<JobMeter>,
    ) -> End {
        let Adoption { claim, todo } = adoption;
        // Adopted jobs come one at a time, so none waits for this report.
        let (queue, deadline, unreported) = (&self.queue, keeper.deadline(), None);
        match todo {
            Todo::Run(known, served) => {
                let (known, holding, place) = (*known, Holding::Adopted, Place::only());
                let taken = Taken { claim, known, holding, others, place };
                self.live_claimed(taken, keeper, &served, meter).await
            }
            Todo::Fail(failure) => {
                let execution_id = keeper.execution_id().to_owned();
                let executed = Executed::failed(failure, Some(Abandoned { execution_id, token: None }));
                Reporting { queue, claim, keeper, served, deadline, unreported }.report(executed, others).await
            }
            Todo::Report => Reporting { queue, claim, keeper, served, deadline, unreported }.report_again().await,
        }
    }
}

/// What an adopting worker does for the job, and the claim that allows it.
struct Adoption {
    claim: Claim,
    todo: Todo,
}

enum Todo {
    Run(Box<Known>, Arc<Served>),
    Fail(Failure),
    Report,
}

impl Todo {
    fn name(&self) -> &'static str {
        match self {
            Self::Run(..) => "run",
            Self::Fail(_) => "fail",
            Self::Report => "report",
        }
    }
}

/// Whether this entry of ACTIONS polls for the job.
fn is_of(served: &Served, details: &Details) -> bool {
    match &served.query_param {
        Some((key, value)) => details.job.configuration.get(key) == Some(value),
        None => true,
    }
}

/// The failure of a job whose worker died while the action ran.
fn died(adoptions: u32) -> Failure {
    let (code, then) = if adoptions >= MOST_ADOPTIONS {
        (WORKER_DIED_REPEATEDLY, "it was run again three times, and its worker died each time")
    } else {
        (WORKER_DIED, "it was not run again, because it may have done half of its work (onCrash is \"fail\")")
    };
    let message = format!(
        "the worker died while it ran the action: it was out of memory or past the function's timeout, or its machine was \
         lost; {then}. See the function's log"
    );
    Failure::new(FailureKind::JobFailed, code, message)
}

fn no_longer_served() -> Failure {
    let message = "the worker died while it ran the job, and no action in ACTIONS has the job's queryParam any more";
    Failure::new(FailureKind::ConfigurationError, ACTION_NO_LONGER_SERVED, message)
}

fn no_longer_visible(reason: &str) -> Failure {
    let message = format!("the worker died while it ran the job, and CodePipeline no longer shows the job: {reason}");
    Failure::new(FailureKind::JobFailed, JOB_NO_LONGER_VISIBLE, message)
}
