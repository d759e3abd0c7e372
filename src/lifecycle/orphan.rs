//! A job whose worker died, as the ledger shows it.

use std::sync::Arc;
use std::time::Duration;

use super::protocol::limits::{ON_OFFER_AGAIN, ON_THE_WAY};
use super::protocol::{Afterwards, Offers};
use crate::actions::{OnCrash, Served};
use crate::job::ActionTypeId;
use crate::ledger::{Content, Entry, Key, Ledger, LedgerError, Listed, Phase, Version, WriteResult};

/// How often a job runs again after worker deaths. Then it fails, because the job itself may kill its workers.
pub(super) const MOST_ADOPTIONS: u32 = 3;

/// CodePipeline's own limit ("Quotas in AWS CodePipeline": the timeout of a custom action).
const LONGEST_ACTION: Duration = Duration::from_secs(24 * 60 * 60);

/// By this age, a late acknowledgement has arrived, and a job that is on offer has been offered to a worker.
const NOTHING_COMES: Duration = Duration::from_secs(60 * 60);

/// A job whose worker died.
pub struct Orphan {
    key: Key,
    pub(super) entry: Entry,
    pub(super) version: Version,
    age: Duration,
}

impl Orphan {
    /// Reads a listed entry. Returns `None` if its worker may be alive.
    pub(super) async fn of(ledger: &Ledger, listed: Listed) -> Result<Option<Self>, LedgerError> {
        let Some(found) = ledger.read(&listed.key).await? else { return Ok(None) };
        let is_dead = found.lease_is_over();
        match found.content {
            Content::Done => Ok(None),
            Content::Unreadable(why) => {
                tracing::warn!(ledgerKey = listed.key.as_str(), %why, "ignored an unreadable object in the ledger");
                Ok(None)
            }
            Content::Entry(entry, _) => {
                let Listed { key, .. } = listed;
                Ok(is_dead.then_some(Orphan { key, entry: *entry, version: found.version, age: found.age }))
            }
        }
    }

    /// The type of its action.
    pub fn action_type(&self) -> &ActionTypeId {
        &self.entry.action_type
    }

    /// The pipeline, the stage and the action, as far as the entry names them.
    pub fn place(&self) -> [Option<&str>; 3] {
        let Entry { pipeline, stage, action, .. } = &self.entry;
        [pipeline.as_deref(), stage.as_deref(), action.as_deref()]
    }

    /// The pipeline's execution, if the entry names it.
    pub fn pipeline_execution_id(&self) -> Option<&str> {
        self.entry.pipeline_execution_id.as_deref()
    }

    /// The id of the run that the job belongs to.
    pub fn execution_id(&self) -> &str {
        self.entry.execution_id()
    }

    /// The job's id.
    pub fn job(&self) -> &str {
        &self.entry.job
    }

    /// Whether its entry is claiming: a worker may have acknowledged the job and has not started it. A worker adopts such a job only
    /// if it knows that the job is not on offer, because then the job was acknowledged.
    pub fn is_claiming(&self) -> bool {
        self.entry.phase == Phase::Claiming
    }

    /// Whether it may still be on offer, because the entry does not prove an acknowledgement. After an hour it is not.
    pub(super) fn may_be_on_offer(&self) -> bool {
        (self.is_claiming() || self.entry.inferred) && self.age < NOTHING_COMES
    }

    /// Deletes the claiming entry of a job that CodePipeline does not show. A worker that is offered the job anyway has replaced the
    /// entry or will create one.
    pub(super) async fn forget(&self, ledger: &Ledger, reason: &str) {
        match ledger.delete(&self.key, &self.version).await {
            WriteResult::Written(_) => {
                tracing::info!(
                    reason,
                    "deleted the entry of a job whose worker died: CodePipeline does not show the job"
                );
            }
            WriteResult::Refused => {}
            WriteResult::Failed(error) => {
                tracing::warn!(%error, "could not delete the entry of a job that CodePipeline does not show; a later invocation retries");
            }
        }
    }

    /// Whether its action has timed out by now. A custom action takes at most 24 hours.
    pub fn is_past(&self) -> bool {
        self.age >= LONGEST_ACTION
    }

    /// Whether the mark is so old that every worker that polled the job before it has arrived.
    fn is_settled(&self) -> bool {
        self.entry.marked && self.age >= ON_THE_WAY
    }

    /// Interprets an empty poll that was sent `quiet` ago. It proves nothing if the entry was too young then: an invocation may poll,
    /// work for minutes, and only then read the ledger.
    pub(super) fn offers(&self, quiet: Option<Duration>) -> Offers {
        let then = quiet.and_then(|ago| self.age.checked_sub(ago));
        match then {
            Some(age) if self.entry.marked && age >= ON_THE_WAY => Offers::StillNone,
            Some(age) if !self.entry.marked && age >= ON_OFFER_AGAIN => Offers::None,
            _ => Offers::Some,
        }
    }

    /// Whether a worker that adopts it would run its action, which takes time and room.
    pub fn would_run(&self, served: &[Arc<Served>]) -> bool {
        match self.entry.phase {
            Phase::Claiming => self.is_settled(),
            Phase::Held => self.afterwards(served) == Afterwards::Run,
            Phase::Reporting { .. } => false,
        }
    }

    /// Whether it runs again or fails, if it was started. If the entries of ACTIONS for its type (one for each `queryParam`)
    /// differ, the worker does not know yet which one serves the job, and fails it.
    pub(super) fn afterwards(&self, served: &[Arc<Served>]) -> Afterwards {
        let may_run = served.iter().all(|served| served.on_crash == OnCrash::Run);
        if may_run && self.entry.adoptions < MOST_ADOPTIONS { Afterwards::Run } else { Afterwards::Fail }
    }
}

/// The jobs of workers that died.
#[derive(Default)]
pub struct Orphans {
    /// The jobs.
    pub jobs: Vec<Orphan>,
    /// How long ago the oldest entry of an unfinished job was written, also if its worker lives. Zero if there is none, and `None`
    /// without a ledger.
    pub oldest: Option<Duration>,
}

impl Orphans {
    /// The age of the oldest entry. An entry whose action has timed out protects nothing, so it does not count.
    pub(super) fn oldest(entries: &[Listed]) -> Duration {
        let ages = entries.iter().map(|listed| listed.age).filter(|age| *age < LONGEST_ACTION);
        ages.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Origin;
    use crate::ledger::InvocationId;

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
            pipeline: None,
            pipeline_execution_id: None,
            stage: None,
            action: None,
            action_execution_id: None,
        };
        Orphan { key: Key::polled("job"), entry, version: Version::default(), age: Duration::from_secs(age) }
    }

    #[test]
    fn an_empty_poll_counts_by_the_age_of_claim_and_mark() {
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
            let (marked, age) = (orphan.entry.marked, orphan.age);
            assert_eq!(orphan.offers(quiet.map(Duration::from_secs)), expected, "{marked}, {age:?}, {quiet:?}");
        }
    }
}
