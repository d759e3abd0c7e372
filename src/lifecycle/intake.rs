//! From an offer to a claim, or to nothing: claim in the ledger, acknowledge, hold in the ledger.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::keeper::Keeper;
use super::protocol::limits::ON_THE_WAY;
use super::protocol::{Command, End, Event};
use crate::calls::Pauses;
use crate::queue::{Acknowledged, Claim, Offer, Queue};

/// An offer is good for 30 s from the poll that brought it (the only public number for the re-offer, see the Jenkins
/// plugin). Nothing is acknowledged after 25 s, so that the answer is there, or no more waited for, when they are over.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(25);

/// The ledger gets this much of the time before the acknowledgement, so that there is some left for that.
const CLAIM_WITHIN: Duration = Duration::from_secs(20);

/// One try takes tens of milliseconds; five with 5 s each and the pauses between them (a random time up to 100 ms, doubled
/// each time: 1.5 s at most) fill the 25 s.
const TRY: Duration = Duration::from_secs(5);
const TRIES: u32 = 5;
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(1));

/// What became of an offer.
pub(super) enum Intake {
    /// The job is ours to run and to report.
    Claimed(Claim),
    /// Another has it, or can have it.
    Lost,
    /// Nobody knows whose it is, or the ledger could not be told that it is ours.
    Unknown,
    /// It was not acknowledged, because the ledger could not be reached.
    NoLedger,
    /// It was not acknowledged, because CodePipeline does not let us.
    Denied,
}

/// Takes the job on offer, but does not acknowledge it after `latest`: then too little time is left for the work. Without a
/// claim there is nothing to report with, so a lost race can't fail the winner's job.
pub(super) async fn claim(queue: &Queue, offer: &Offer, keeper: &mut Keeper, latest: Instant) -> Intake {
    let until = latest.min(offer.polled_at + ACKNOWLEDGE_WITHIN);
    let acknowledging = Acknowledging { until, tries: 0 };
    if Instant::now() >= acknowledging.until {
        tracing::info!("the job is left to others: its offer is older than 25 s, or too little time is left for it");
        return Intake::Lost;
    }
    let claimed_by = latest.min(offer.polled_at + CLAIM_WITHIN);
    take(queue, offer, keeper, acknowledging, claimed_by).await
}

struct Acknowledging {
    until: Instant,
    tries: u32,
}

async fn take(
    queue: &Queue,
    offer: &Offer,
    keeper: &mut Keeper,
    mut acknowledging: Acknowledging,
    claimed_by: Instant,
) -> Intake {
    let mut claim = None;
    let mut denied = false;
    let mut reason = "no time was left to acknowledge it".to_owned();
    loop {
        // Whoever adopts a job relies on it that nobody is on the way for longer.
        let until = if claim.is_none() { claimed_by } else { offer.polled_at + ON_THE_WAY };
        match (keeper.settle(until).await, claim.take()) {
            (Command::Acknowledge, _) => match acknowledging.once(queue, offer).await {
                None => keeper.tell(Event::GivenUp),
                Some(Acknowledged::Claimed(given)) => {
                    claim = Some(given);
                    keeper.tell(Event::InProgress);
                }
                Some(Acknowledged::Denied(error)) => {
                    tracing::error!(%error, "the job was not acknowledged");
                    denied = true;
                    reason = error.to_string();
                    keeper.tell(Event::NotGiven);
                }
                Some(Acknowledged::Refused(why)) => {
                    reason = why;
                    keeper.tell(Event::NotGiven);
                }
                // It had no effect: the protocol wants the same again.
                Some(Acknowledged::Throttled(why)) => reason = why,
                Some(Acknowledged::Unanswered(why)) => {
                    reason = why;
                    keeper.tell(Event::Unanswered);
                }
            },
            (Command::Run, Some(claim)) => {
                let age = u64::try_from(offer.polled_at.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(offer.age_ms = age, "acknowledged the job");
                return Intake::Claimed(claim);
            }
            (Command::Leave(End::Lost), _) if denied => return Intake::Denied,
            (Command::Leave(end), _) => return left(end, &reason, keeper.is_kept()),
            // The protocol never runs what was not acknowledged, and reports nothing that did not run.
            (_, _) => return Intake::Lost,
        }
    }
}

impl Acknowledging {
    /// One try, after a pause if it is not the first; `None` when there were enough of them.
    async fn once(&mut self, queue: &Queue, offer: &Offer) -> Option<Acknowledged> {
        if self.tries > 0 {
            sleep_until((Instant::now() + PAUSES.after(self.tries)).min(self.until)).await;
        }
        self.tries += 1;
        let now = Instant::now();
        if self.tries > TRIES || now >= self.until {
            return None;
        }
        Some(queue.acknowledge(offer, self.until.min(now + TRY)).await)
    }
}

fn left(end: End, reason: &str, is_kept: bool) -> Intake {
    match end {
        End::NoLedger => {
            tracing::error!("the job was not acknowledged, because the ledger could not be reached");
            Intake::NoLedger
        }
        End::Unknown if is_kept => {
            tracing::warn!(
                reason,
                "nobody knows whether the job was acknowledged: an answer got lost; if it was, a later invocation \
                 adopts it"
            );
            Intake::Unknown
        }
        End::Unknown => {
            tracing::error!(
                reason,
                "nobody knows whether the job was acknowledged: an answer got lost; it is left alone, \
                 and may hang until its action times out"
            );
            Intake::Unknown
        }
        End::NotHeld => {
            tracing::error!(
                "the job was acknowledged, but the ledger did not say in time whether it knows: a later invocation adopts it, \
                 and runs it or, if the ledger has it as begun, does what onCrash says"
            );
            Intake::Unknown
        }
        End::GaveWay => {
            tracing::info!("the job is left to another worker, which the ledger says holds it");
            Intake::Lost
        }
        End::Lost | End::HoldLost | End::Unreported | End::Untaken | End::Unstopped | End::Marked | End::Done => {
            tracing::info!(reason, "the job is left to others");
            Intake::Lost
        }
    }
}
