//! Looks in the ledger whether another worker holds the job of an action.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::ledger::{Content, Key, Ledger, LedgerError, Phase};

/// The action started at most this long before the invocation, because Lambda keeps an event for at most 15 minutes
/// (`MaximumEventAgeInSeconds` in template.yaml).
const EVENT_AGE: Duration = Duration::from_secs(900);

/// How many entries one look reads, the youngest first.
const READS: usize = 16;

/// How long one look may take. It saves a poll or two, and must not delay them.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// A search for the entry of one action execution, which an invocation repeats.
pub(super) struct Elsewhere<'a> {
    ledger: &'a Ledger,
    execution_id: &'a str,
    began: Instant,
    /// Entries of other actions. An entry never changes its action execution, so each is read once.
    others: BTreeSet<Key>,
}

impl<'a> Elsewhere<'a> {
    pub(super) fn new(ledger: &'a Ledger, execution_id: &'a str, began: Instant) -> Self {
        Self { ledger, execution_id, began, others: BTreeSet::new() }
    }

    /// Whether another worker holds or reports the action's job. It costs one listing, and one read for each new entry. The mark of a
    /// finished job does not name its action, so then polling continues.
    pub(super) async fn is_taken(&mut self) -> bool {
        match timeout(LOOK, self.look()).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::debug!(%error, "could not look in the ledger whether another worker has the job");
                false
            }
            Err(_) => false,
        }
    }

    async fn look(&mut self) -> Result<bool, LedgerError> {
        let oldest = EVENT_AGE + self.began.elapsed();
        let mut listed = self.ledger.list().await?;
        listed.retain(|it| !it.is_done() && it.age <= oldest && !self.others.contains(&it.key));
        listed.sort_by_key(|it| it.age);
        for it in listed.into_iter().take(READS) {
            let Some(found) = self.ledger.read(&it.key).await? else { continue };
            let Content::Entry(entry, _) = found.content else { continue };
            if entry.action_execution_id.as_deref() != Some(self.execution_id) {
                self.others.insert(it.key);
            } else if entry.phase != Phase::Claiming {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
