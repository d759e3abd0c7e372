//! The requests to the ledger: write, delete or read the job's entry, and what the response means to the protocol.
//!
//! Without a ledger every write takes effect at once.

use std::time::Duration;

use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::{AFTER_DEADLINE, CLAIM_LEASE, Keeper};
use crate::ledger::{self, Content, Entry, Found, InvocationId, LedgerError, Version, WriteId, WriteResult};
use crate::lifecycle::protocol::{Aim, Event, Phase, Seen};

/// The keeper's next step after a request.
pub(super) enum Reply {
    /// It tells the protocol this event.
    Tell(Event<Version>),
    /// It tells the protocol the event, if there is one, and sends the next request after a pause.
    Retry(Option<Event<Version>>),
    /// It gives up: another request would fail as well, or there is no time for it.
    GiveUp,
}

impl From<Result<Reply, Elapsed>> for Reply {
    fn from(reply: Result<Reply, Elapsed>) -> Self {
        reply.unwrap_or(Self::GiveUp)
    }
}

impl Keeper {
    pub(super) async fn write(&mut self, aim: Aim, over: Option<&Version>) -> Reply {
        let Some(ledger) = &self.ledger else { return Reply::Tell(Event::Written(Version::default())) };
        let id = match self.write {
            Some((before, id)) if before == aim => id,
            _ => WriteId::random(),
        };
        self.write = Some((aim, id));
        let result = match (aim.phase(), over) {
            (Phase::Done, Some(over)) => ledger.mark_done(&self.key, over).await,
            (phase, over) => {
                self.entry.phase = match phase {
                    Phase::Held => ledger::Phase::Held,
                    Phase::Reporting => ledger::Phase::Reporting { outcome: self.outcome.clone() },
                    Phase::Claiming | Phase::Done => ledger::Phase::Claiming,
                };
                self.entry.marked = aim == Aim::Mark;
                self.entry.inferred |= self.is_inferring && matches!(aim, Aim::Adopt(_));
                self.entry.lease = match phase {
                    // A worker that is offered the job replaces a marked entry at once.
                    _ if self.entry.marked => Duration::ZERO,
                    Phase::Claiming | Phase::Done => CLAIM_LEASE,
                    Phase::Held | Phase::Reporting => self.time_left() + AFTER_DEADLINE,
                };
                ledger.write(&self.key, over, &self.entry, &id).await
            }
        };
        after_write(result)
    }

    pub(super) async fn delete(&self, entry: &Version) -> Reply {
        let Some(ledger) = &self.ledger else { return Reply::Tell(Event::Written(Version::default())) };
        after_write(ledger.delete(&self.key, entry).await)
    }

    pub(super) async fn read(&self) -> Reply {
        let Some(ledger) = &self.ledger else { return Reply::Tell(Event::Found(None)) };
        match ledger.read(&self.key).await {
            Ok(found) => {
                let write = self.write.map(|(_, id)| id);
                Reply::Tell(Event::Found(found.map(|found| seen(&found, write, self.entry.owner))))
            }
            Err(error) => after_error(&error, None),
        }
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

fn after_write(result: WriteResult) -> Reply {
    match result {
        WriteResult::Written(version) => Reply::Tell(Event::Written(version)),
        WriteResult::Refused => Reply::Tell(Event::Refused),
        WriteResult::Failed(error) => after_error(&error, Some(Event::Unanswered)),
    }
}

fn after_error(error: &LedgerError, event: Option<Event<Version>>) -> Reply {
    if error.may_pass() {
        tracing::warn!(%error, "the ledger did not answer");
        Reply::Retry(event)
    } else {
        tracing::error!(%error, "the ledger can't be used");
        Reply::GiveUp
    }
}

/// The phase of an entry, as the protocol knows it.
pub(super) fn phase(entry: &Entry) -> Phase {
    match entry.phase {
        ledger::Phase::Claiming => Phase::Claiming,
        ledger::Phase::Held => Phase::Held,
        ledger::Phase::Reporting { .. } => Phase::Reporting,
    }
}

/// An entry, as the protocol knows it. An unreadable one counts as done, because a newer version of the worker wrote it.
fn seen(found: &Found, write: Option<WriteId>, owner: InvocationId) -> Seen<Version> {
    let (phase, written, mine) = match &found.content {
        Content::Entry(entry, id) => (phase(entry), write == Some(*id), entry.owner == owner),
        Content::Done | Content::Unreadable(_) => (Phase::Done, false, false),
    };
    Seen { version: found.version.clone(), phase, written, mine, lease_over: found.lease_is_over() }
}
