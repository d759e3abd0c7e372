//! Jobs whose worker died: found in the ledger's listing, adopted, and brought to their end.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::execute::Executed;
use super::keeper::Keeper;
use super::orphan::{MOST_ADOPTIONS, Orphan};
use super::protocol::{Afterwards, Command, Exit, Offers};
use super::reporting::{Others, Reporting};
use super::{End, Invocation, Known, Lifecycle};
use crate::actions::{Abandoned, Served};
use crate::job::{Failure, FailureCode, FailureKind};
use crate::ledger::{Ledger, LedgerError, Listed, Phase};
use crate::queue::{Claim, Details, QueueError};

const WORKER_DIED: FailureCode = FailureCode::new("WorkerDied");
const WORKER_DIED_REPEATEDLY: FailureCode = FailureCode::new("WorkerDiedRepeatedly");
const ACTION_NO_LONGER_SERVED: FailureCode = FailureCode::new("ActionNoLongerServed");
const JOB_NO_LONGER_VISIBLE: FailureCode = FailureCode::new("JobNoLongerVisible");

/// Nothing younger is adopted, so nothing younger is read.
const YOUNGEST: Duration = Duration::from_secs(30);

/// Entries are read side by side, so many at a time.
const READS: usize = 8;

/// Adopting takes one write, and perhaps another look. It is tried for long: a write that took effect and was given up for want
/// of an answer leaves the job to nobody until that lease is over.
const ADOPT_WITHIN: Duration = Duration::from_secs(20);

/// So many are looked at in one invocation, the oldest first, or any if there are more: an outcome may be as large as 4 MiB.
const AT_ONCE: usize = 50;

/// Looking up what is needed to act for a job.
const LOOK: Duration = Duration::from_secs(5);

impl Lifecycle {
    /// The jobs that their workers left, and clears away what is long done. Without a ledger nobody knows of any.
    ///
    /// # Errors
    /// When the ledger can't be listed, or an entry can't be read and there is nothing else to look after.
    pub async fn orphans(&self) -> Result<Vec<Orphan>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(Vec::new()) };
        let listed = ledger.list().await?;
        let (marks, entries): (Vec<_>, Vec<_>) = listed.into_iter().partition(Listed::is_done);
        let marks: Vec<_> = marks.into_iter().filter(Listed::can_be_swept).collect();
        if !marks.is_empty() {
            // Whatever is left goes with the next sweep.
            match ledger.sweep(&marks).await {
                Ok(swept) => tracing::info!(swept, "cleared marks of finished jobs out of the ledger"),
                Err(error) => tracing::warn!(%error, "marks of finished jobs stay in the ledger for now"),
            }
        }
        let mut old: Vec<_> = entries.into_iter().filter(|listed| listed.age >= YOUNGEST).collect();
        if old.len() > AT_ONCE {
            // Some may be such that nobody can do anything for them. They must not keep the others from their turn for ever.
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
                    tracing::error!(%error, "an entry of the ledger can't be read; the others are looked after");
                    let is_silent = error.may_pass();
                    unread = Some(error);
                    // By now most others have been read, which takes much less than waiting in vain.
                    if is_silent {
                        break;
                    }
                }
            }
        }
        unread.filter(|_| orphans.is_empty()).map_or(Ok(orphans), Err)
    }

    /// Brings the job to its end in the place of the worker that died: sends its report, runs its action (again) or reports
    /// that it failed. `served` are the ways in which its type is served, at least one. A job that was only claimed is left
    /// alone unless this invocation's last poll of its type brought nothing, `quiet` ago; then it is marked first, and run
    /// when it is found with its mark.
    pub async fn adopt(
        &self,
        orphan: Orphan,
        served: &[Arc<Served>],
        quiet: Option<Duration>,
        invocation: Invocation,
    ) -> End {
        let Some(ledger) = &self.ledger else { return End::Lost };
        let (mut afterwards, offers) = (orphan.afterwards(served), orphan.offers(quiet));
        let acts = orphan.entry.phase != Phase::Claiming || offers == Offers::StillNone;
        let mut successor = None;
        if acts {
            // Before the entry is written: what can't be done now is tried by the next invocation, and not a lease later.
            match self.successor(ledger, &orphan, served, invocation).await {
                Ok(Some(found)) => successor = Some(found),
                Ok(None) => return End::Lost,
                Err(error) => {
                    tracing::error!(%error, "a job whose worker died can't be looked after; a later invocation tries again");
                    return End::Unreported;
                }
            }
            if matches!(successor, Some(Successor { todo: Todo::Fail(_), .. })) {
                afterwards = Afterwards::Fail;
            }
        }
        let others = if orphan.is_claiming() { Others::None } else { Others::Perhaps };
        let Orphan { entry, version, .. } = orphan;
        let mut keeper = Keeper::adopting(ledger, invocation, entry, version, offers, afterwards);
        let latest = invocation.deadline - self.reporting;
        match (keeper.settle(latest.min(Instant::now() + ADOPT_WITHIN)).await, successor) {
            (Command::Run | Command::Fail | Command::Report, Some(successor)) => {
                tracing::warn!(todo = successor.todo.name(), "adopted a job whose worker died");
                self.succeed(successor, &mut keeper, served, others).await
            }
            (Command::Leave(Exit::Marked), _) => {
                tracing::info!("a job was claimed and its worker died: it is adopted if it is not offered again");
                End::Lost
            }
            (Command::Leave(exit), _) => End::of_orphan(exit),
            _ => End::Lost,
        }
    }

    /// What there is to do for the job, and the right to do it. `None` if it is to be left alone.
    async fn successor(
        &self,
        ledger: &Ledger,
        orphan: &Orphan,
        served: &[Arc<Served>],
        invocation: Invocation,
    ) -> Result<Option<Successor>, QueueError> {
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
                            // The polls that brought nothing were not for this job.
                            tracing::warn!(
                                "left a job alone whose worker died: no action in ACTIONS has its queryParam"
                            );
                            return Ok(None);
                        }
                        None => Todo::Fail(no_longer_served()),
                    },
                    // It is over, or it was never acknowledged and is on offer: the service need not show such a job.
                    Err(QueueError::Refused { reason, .. }) if orphan.may_be_on_offer() => {
                        tracing::info!(reason, "left a job alone whose worker died: CodePipeline does not show it");
                        return Ok(None);
                    }
                    Err(QueueError::Refused { reason, .. }) if orphan.is_claiming() => {
                        orphan.forget(ledger, &reason).await;
                        return Ok(None);
                    }
                    // Most likely it is over: the report says so.
                    Err(QueueError::Refused { reason, .. }) => Todo::Fail(not_to_be_seen(&reason)),
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(Some(Successor { claim, todo }))
    }

    async fn succeed(&self, successor: Successor, keeper: &mut Keeper, served: &[Arc<Served>], others: Others) -> End {
        let Successor { claim, todo } = successor;
        let deadline = keeper.deadline();
        match todo {
            Todo::Run(known, served) => self.live_claimed(claim, keeper, *known, &served, others).await,
            Todo::Fail(failure) => {
                // The first job of a Lambda Invoke action has no execution id but its own.
                let execution_id = keeper.action_execution_id().unwrap_or(keeper.job()).to_owned();
                let executed = Executed::failed(failure, Some(Abandoned { execution_id, token: None }));
                Reporting { queue: &self.queue, claim, keeper, served, deadline }.report(executed, others).await
            }
            Todo::Report => Reporting { queue: &self.queue, claim, keeper, served, deadline }.report_again().await,
        }
    }
}

/// Who acts for a worker that is dead.
struct Successor {
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

/// Whether the job is one of those that this way to serve its type polls for.
fn is_of(served: &Served, details: &Details) -> bool {
    match &served.query_param {
        Some((key, value)) => details.job.configuration.get(key) == Some(value),
        None => true,
    }
}

/// What there is to report of an action whose worker died.
fn died(adoptions: u32) -> Failure {
    let (code, then) = if adoptions >= MOST_ADOPTIONS {
        (WORKER_DIED_REPEATEDLY, "it was run again three times, and its worker died each time")
    } else {
        (WORKER_DIED, "it was not run again, because it may have done half of its work (onCrash is \"fail\")")
    };
    let message = format!(
        "the worker died while it ran the action: it was out of memory or past the function's timeout, or its machine was \
         lost; {then}. The log of the function says more"
    );
    Failure::new(FailureKind::JobFailed, code, message)
}

fn no_longer_served() -> Failure {
    let message = "the worker that ran the job died, and no action in ACTIONS has the job's queryParam any more";
    Failure::new(FailureKind::ConfigurationError, ACTION_NO_LONGER_SERVED, message)
}

fn not_to_be_seen(reason: &str) -> Failure {
    let message =
        format!("the worker that ran the job died, and CodePipeline does not show the job any more: {reason}");
    Failure::new(FailureKind::JobFailed, JOB_NO_LONGER_VISIBLE, message)
}
