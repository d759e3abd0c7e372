//! A job that its worker left behind, as the ledger tells of it.

use std::sync::Arc;
use std::time::Duration;

use super::protocol::limits::{ON_OFFER_AGAIN, ON_THE_WAY};
use super::protocol::{Afterwards, Offers};
use crate::actions::{OnCrash, Served};
use crate::job::ActionTypeId;
use crate::ledger::{Content, Entry, Key, Ledger, LedgerError, Listed, Phase, Version, WriteResult};

/// A job is run again so often; then it is reported as failed. Whatever kills its worker each time is to have an end.
pub(super) const MOST_ADOPTIONS: u32 = 3;

/// CodePipeline's own limit ("Quotas in AWS CodePipeline": the timeout of a custom action).
const LONGEST_ACTION: Duration = Duration::from_secs(24 * 60 * 60);

/// By then an acknowledgement that was on its way has arrived, if it ever does, and somebody has been offered what is on offer.
const NOTHING_COMES: Duration = Duration::from_secs(60 * 60);

/// A job whose worker is dead.
pub struct Orphan {
    key: Key,
    pub(super) entry: Entry,
    pub(super) version: Version,
    age: Duration,
}

impl Orphan {
    /// A listed entry, if its worker is dead.
    pub(super) async fn of(ledger: &Ledger, listed: Listed) -> Result<Option<Self>, LedgerError> {
        let Some(found) = ledger.read(&listed.key).await? else { return Ok(None) };
        let is_dead = found.lease_is_over();
        match found.content {
            Content::Done => Ok(None),
            Content::Unreadable(why) => {
                tracing::warn!(ledger.key = listed.key.as_str(), %why, "left an object in the ledger alone");
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

    /// The job's id.
    pub fn job(&self) -> &str {
        &self.entry.job
    }

    /// Whether it was claimed, perhaps acknowledged, and not begun. Such a job is adopted only by who knows that it is not
    /// on offer: then it was acknowledged.
    pub fn is_claiming(&self) -> bool {
        self.entry.phase == Phase::Claiming
    }

    /// Whether it may never have been acknowledged, as far as the entry tells, so that somebody may yet be offered it. After an
    /// hour nobody was.
    pub(super) fn may_be_on_offer(&self) -> bool {
        (self.is_claiming() || self.entry.inferred) && self.age < NOTHING_COMES
    }

    /// Deletes the entry of a job that was only claimed and that the service does not show: nothing is to be done for it. If
    /// somebody is offered the job all the same, he has changed the entry, or makes a new one.
    pub(super) async fn forget(&self, ledger: &Ledger, reason: &str) {
        match ledger.delete(&self.key, &self.version).await {
            WriteResult::Written(_) => {
                tracing::info!(reason, "forgot a job whose worker died: CodePipeline does not show it")
            }
            WriteResult::Refused => {}
            WriteResult::Failed(error) => {
                tracing::warn!(%error, "the entry of a job that CodePipeline does not show stays in the ledger for now");
            }
        }
    }

    /// Whether its action has timed out by now, if nobody has ended the job before. A custom action's time is at most 24 hours.
    pub fn is_past(&self) -> bool {
        self.age >= LONGEST_ACTION
    }

    /// Whether it has been marked as not on offer, so long ago that whoever polled it before has arrived by now.
    fn is_settled(&self) -> bool {
        self.entry.marked && self.age >= ON_THE_WAY
    }

    /// What it means that the last poll, so long ago, brought nothing. It counts for nothing if the entry was too young then:
    /// an invocation may have polled, worked for minutes, and only then looked at the ledger.
    pub(super) fn offers(&self, quiet: Option<Duration>) -> Offers {
        let then = quiet.and_then(|ago| self.age.checked_sub(ago));
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
    pub(super) fn afterwards(&self, served: &[Arc<Served>]) -> Afterwards {
        let may_run = served.iter().all(|served| served.on_crash == OnCrash::Run);
        if may_run && self.entry.adoptions < MOST_ADOPTIONS { Afterwards::Run } else { Afterwards::Fail }
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
            pipeline_execution_id: None,
            action_execution_id: None,
        };
        Orphan { key: Key::polled("job"), entry, version: Version::default(), age: Duration::from_secs(age) }
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
            let (marked, age) = (orphan.entry.marked, orphan.age);
            assert_eq!(orphan.offers(quiet.map(Duration::from_secs)), expected, "{marked}, {age:?}, {quiet:?}");
        }
    }
}
