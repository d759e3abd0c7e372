//! Jobs whose worker died: found in the ledger's listing, adopted, and brought to their end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::deliver::Delivery;
use super::execute::Executed;
use super::keeper::Keeper;
use super::protocol::{Afterwards, Command, Offers};
use super::{End, Invocation, Known, Lifecycle, protocol};
use crate::actions::{Abandoned, OnCrash, Served};
use crate::job::{ActionTypeId, Failure, FailureKind};
use crate::ledger::{Content, Entry, Found, Ledger, LedgerError, Listed, Phase};
use crate::queue::{Claim, QueueError};

/// Nothing younger is adopted, so nothing younger is read.
const YOUNGEST: Duration = Duration::from_secs(30);

/// How long anybody may take from a poll to holding a job, or to giving it up (`intake`).
const ON_THE_WAY: Duration = Duration::from_secs(30);

/// A job that was claimed, and not acknowledged, is on offer again when its entry is this old: whoever was offered it while
/// that was another's (30 s) has let it lapse, and the service makes an offer anew within 60 s (30 s are the only public
/// number, see the Jenkins plugin; nothing says that it is exact).
const ON_OFFER_AGAIN: Duration = Duration::from_secs(90);

/// A job is run again so often; then it is reported as failed. Whatever kills its worker each time is to have an end.
const MOST_ADOPTIONS: u32 = 3;

/// Entries are read side by side, so many at a time.
const READS: usize = 8;

/// Adopting takes one write, and perhaps another look.
const ADOPT_WITHIN: Duration = Duration::from_secs(5);

/// A job whose worker is dead.
pub struct Orphan {
    entry: Entry,
    found: Found,
}

impl Orphan {
    /// The type of its action.
    pub fn action_type(&self) -> &ActionTypeId {
        &self.entry.action_type
    }

    /// The job's id.
    pub fn job(&self) -> &str {
        &self.entry.job
    }

    /// Whether it was claimed, perhaps acknowledged, and not begun. Such a job is adopted only by who knows that it is not
    /// on offer: then it was acknowledged.
    pub fn is_claiming(&self) -> bool {
        self.entry.phase == Phase::Claiming
    }

    /// Whether it has been marked as not on offer, so long ago that whoever polled it before has arrived by now.
    fn is_settled(&self) -> bool {
        self.entry.marked && self.found.age >= ON_THE_WAY
    }

    /// What it means that the last poll, so long ago, brought nothing. It counts for nothing if the entry was too young then:
    /// an invocation may have polled, worked for minutes, and only then looked at the ledger.
    fn offers(&self, quiet: Option<Duration>) -> Offers {
        let then = quiet.and_then(|ago| self.found.age.checked_sub(ago));
        match then {
            Some(age) if self.entry.marked && age >= ON_THE_WAY => Offers::StillNone,
            Some(age) if !self.entry.marked && age >= ON_OFFER_AGAIN => Offers::None,
            _ => Offers::Some,
        }
    }

    /// Whether adopting it means to run its action, which takes time and room.
    pub fn would_run(&self, served: &[Arc<Served>]) -> bool {
        match self.entry.phase {
            Phase::Claiming => self.is_settled(),
            Phase::Held => self.afterwards(served) == Afterwards::Run,
            Phase::Reporting { .. } => false,
        }
    }

    /// What becomes of it if it was begun. Where a type is served in several ways (one for each `queryParam`) and they
    /// differ, it is not known yet whose the job is, and the careful one counts.
    fn afterwards(&self, served: &[Arc<Served>]) -> Afterwards {
        let may_run = served.iter().all(|served| served.on_crash == OnCrash::Run);
        if may_run && self.entry.adoptions < MOST_ADOPTIONS { Afterwards::Run } else { Afterwards::Fail }
    }
}

impl Lifecycle {
    /// The jobs that their workers left, and clears away what is long done. Without a ledger nobody knows of any.
    ///
    /// # Errors
    /// When the ledger can't be listed or read.
    pub async fn orphans(&self) -> Result<Vec<Orphan>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(Vec::new()) };
        let listed = ledger.list().await?;
        let (marks, entries): (Vec<_>, Vec<_>) = listed.into_iter().partition(Listed::is_done);
        let marks: Vec<_> = marks.into_iter().filter(Listed::can_go).collect();
        if !marks.is_empty() {
            // Whatever is left goes with the next sweep.
            match ledger.sweep(&marks).await {
                Ok(swept) => tracing::info!(swept, "cleared marks of finished jobs out of the ledger"),
                Err(error) => tracing::warn!(%error, "marks of finished jobs stay in the ledger for now"),
            }
        }
        let old = entries.into_iter().filter(|listed| listed.age >= YOUNGEST);
        let reads = stream::iter(old.map(|listed| orphan(ledger, listed))).buffer_unordered(READS);
        reads.try_filter_map(|orphan| async { Ok(orphan) }).try_collect().await
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
        let afterwards = orphan.afterwards(served);
        let offers = orphan.offers(quiet);
        let Orphan { entry, found } = orphan;
        let died_often = entry.adoptions >= MOST_ADOPTIONS;
        let mut keeper = Keeper::adopting(ledger, invocation, entry, &found, offers, afterwards);
        let command = keeper.settle(Instant::now() + ADOPT_WITHIN).await;
        let claim = match &command {
            Command::Run | Command::Fail | Command::Report => match self.claim_of(&keeper, invocation).await {
                Ok(claim) => claim,
                Err(error) => {
                    tracing::error!(%error, "a job whose worker died could not be reported; a later invocation tries again");
                    return End::Undelivered;
                }
            },
            Command::Leave(protocol::End::Marked) => {
                tracing::info!("a job was claimed and its worker died: it is adopted if it is not offered again");
                return End::Lost;
            }
            _ => return End::Lost,
        };
        tracing::warn!(todo = ?command, "adopted a job whose worker died");
        match command {
            Command::Run => self.run_again(claim, &mut keeper, served).await,
            Command::Fail => {
                let running =
                    keeper.action_execution_id().map(|id| Abandoned { execution_id: id.to_owned(), token: None });
                let executed = died(died_often, running);
                self.delivery(claim, &mut keeper, served).deliver(executed, true).await
            }
            _ => self.delivery(claim, &mut keeper, served).deliver_again().await,
        }
    }

    async fn claim_of(&self, keeper: &Keeper, invocation: Invocation) -> Result<Claim, QueueError> {
        self.queue.adopt(keeper.job(), keeper.origin(), invocation.deadline - self.reporting).await
    }

    fn delivery<'a>(&'a self, claim: Claim, keeper: &'a mut Keeper, served: &'a [Arc<Served>]) -> Delivery<'a> {
        let deadline = keeper.deadline();
        Delivery { queue: &self.queue, claim, keeper, served: served.first().map(Arc::as_ref), deadline }
    }

    /// Runs the action of a job of which only the ledger's entry is known: what there is to do, the details say.
    async fn run_again(&self, claim: Claim, keeper: &mut Keeper, served: &[Arc<Served>]) -> End {
        let since = Instant::now();
        let latest = keeper.deadline() - self.reporting;
        let details = match self.queue.details(claim.key(), keeper.action_type(), latest).await {
            Ok(details) => details,
            Err(error) => {
                tracing::error!(%error, "a job whose worker died could not be looked at; a later invocation tries again");
                return End::Undelivered;
            }
        };
        let is_of = |served: &&Arc<Served>| match &served.query_param {
            Some((key, value)) => details.job.configuration.get(key) == Some(value),
            None => true,
        };
        match served.iter().find(is_of) {
            Some(served) => {
                let known = Known { details, since };
                self.live_claimed(claim, keeper, known, served, true).await
            }
            None => {
                let message =
                    "the worker that ran the job died, and no action in ACTIONS has the job's queryParam any more";
                let failure = Failure::new(FailureKind::ConfigurationError, message);
                let executed = Executed::failed(failure, None);
                self.delivery(claim, keeper, &[]).deliver(executed, true).await
            }
        }
    }
}

/// A listed entry, if its worker is dead.
async fn orphan(ledger: &Ledger, listed: Listed) -> Result<Option<Orphan>, LedgerError> {
    let Some(found) = ledger.read(&listed.key).await? else { return Ok(None) };
    let entry = match &found.content {
        Content::Done => return Ok(None),
        Content::Unreadable(why) => {
            tracing::warn!(ledger.key = listed.key.as_str(), %why, "left an object in the ledger alone");
            return Ok(None);
        }
        Content::Entry(entry, _) => (**entry).clone(),
    };
    Ok(found.lease_is_over().then_some(Orphan { entry, found }))
}

/// What there is to report of an action whose worker died, and may have begun work outside.
fn died(often: bool, running: Option<Abandoned>) -> Executed {
    let then = if often {
        "it was run again three times, and its worker died each time"
    } else {
        "it was not run again, because it may have done half of its work (onCrash is \"fail\")"
    };
    let message = format!(
        "the worker died while it ran the action: it was out of memory or past the function's timeout, or its machine was \
         lost; {then}. The log of the function says more"
    );
    Executed::failed(Failure::new(FailureKind::JobFailed, message), running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Origin;
    use crate::ledger::{InvocationId, Version, WriteId};

    fn claimed(marked: bool, age: u64) -> Orphan {
        let entry = Entry {
            job: "job".into(),
            phase: Phase::Claiming,
            owner: InvocationId::random(),
            lease: Duration::from_secs(30),
            adoptions: 0,
            marked,
            inferred: false,
            origin: Origin::Polled,
            action_type: ActionTypeId {
                category: "Test".into(),
                owner: "Custom".into(),
                provider: "LinkCheck".into(),
                version: "1".into(),
            },
            pipeline_execution_id: None,
            action_execution_id: None,
        };
        let content = Content::Entry(Box::new(entry.clone()), WriteId::random());
        Orphan { entry, found: Found { content, version: Version::default(), age: Duration::from_secs(age) } }
    }

    #[test]
    fn a_poll_in_vain_counts_by_how_old_the_claim_or_its_mark_was_when_it_was_sent() {
        let cases = [
            (claimed(false, 89), Some(0), Offers::Some),
            (claimed(false, 90), Some(0), Offers::None),
            (claimed(false, 690), Some(601), Offers::Some),
            (claimed(false, 600), None, Offers::Some),
            (claimed(true, 29), Some(0), Offers::Some),
            (claimed(true, 30), Some(0), Offers::StillNone),
            (claimed(true, 630), Some(601), Offers::Some),
            (claimed(true, 5), Some(601), Offers::Some),
            (claimed(true, 600), None, Offers::Some),
        ];
        for (orphan, quiet, expected) in cases {
            let (marked, age) = (orphan.entry.marked, orphan.found.age);
            assert_eq!(orphan.offers(quiet.map(Duration::from_secs)), expected, "{marked}, {age:?}, {quiet:?}");
        }
    }
}
