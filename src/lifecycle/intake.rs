//! Takes a job on offer: writes a claiming entry, acknowledges the job, and holds it in the ledger.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::End;
use super::keeper::Keeper;
use super::protocol::limits::ON_THE_WAY;
use super::protocol::{Command, Event, Exit};
use crate::calls::Pauses;
use crate::queue::{Acknowledged, Claim, Offer, Queue};
use crate::telemetry::milliseconds;

/// How long after the poll the worker may acknowledge. An offer lasts 30 s from its poll (the only public number, in the Jenkins
/// plugin). By then the worker has the response or has stopped waiting for it.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(25);

/// How long after the poll the worker may write the claiming entry. It leaves time for the acknowledgement.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

/// One try takes tens of milliseconds. Five tries of up to 5 s, with pauses of at most 100 + 200 + 400 + 800 ms = 1.5 s, fill the 25 s.
/// The protocol decides after each try, so this is not a call of `calls::retry`.
const TRY: Duration = Duration::from_secs(5);
const TRIES: u32 = 5;
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(1));

/// Takes the job on offer, but does not acknowledge it after `latest`, when too little time is left for the action. A worker that
/// loses the race gets no claim, so it can't fail the winner's job.
pub(super) async fn claim(queue: &Queue, offer: &Offer, keeper: &mut Keeper, latest: Instant) -> Result<Claim, End> {
    let until = latest.min(offer.polled_at + ACKNOWLEDGE_WITHIN);
    let acknowledging = Acknowledging { until, tries: 0 };
    if Instant::now() >= acknowledging.until {
        tracing::info!(
            "left the job to other workers: its offer is older than 25 s, or too little time is left for it"
        );
        return Err(End::Lost);
    }
    let write_by = latest.min(offer.polled_at + WRITE_WITHIN);
    take(queue, offer, keeper, acknowledging, write_by).await
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
    write_by: Instant,
) -> Result<Claim, End> {
    let mut claim = None;
    let mut denied = false;
    let mut reason = "no time was left to acknowledge it".to_owned();
    loop {
        // Adoption assumes that no worker takes longer than this from poll to hold.
        let until = if claim.is_none() { write_by } else { offer.polled_at + ON_THE_WAY };
        match (keeper.settle(until).await, claim.take()) {
            (Command::Acknowledge, _) => match acknowledging.once(queue, offer).await {
                None => keeper.tell(Event::GivenUp),
                Some(Acknowledged::Claimed(given)) => {
                    claim = Some(given);
                    keeper.tell(Event::InProgress);
                }
                Some(Acknowledged::Denied(error)) => {
                    tracing::error!(%error, "CodePipeline denied the acknowledgement");
                    denied = true;
                    reason = error.to_string();
                    keeper.tell(Event::NotGiven);
                }
                Some(Acknowledged::Refused(why)) => {
                    reason = why;
                    keeper.tell(Event::NotGiven);
                }
                // A throttled call has no effect, so the protocol repeats it.
                Some(Acknowledged::Throttled(why)) => reason = why,
                Some(Acknowledged::Unanswered(why)) => {
                    reason = why;
                    keeper.tell(Event::Unanswered);
                }
            },
            (Command::Run, Some(claim)) => {
                tracing::info!(offerAgeMs = milliseconds(offer.polled_at.elapsed()), "acknowledged the job");
                return Ok(claim);
            }
            (Command::Leave(Exit::Lost), _) if denied => return Err(End::Denied),
            (Command::Leave(exit), _) => {
                log_exit(exit, &reason, keeper.is_kept());
                return Err(End::of_offer(exit));
            }
            // The protocol never runs an unacknowledged job, and never reports one that did not run.
            (_, _) => return Err(End::Lost),
        }
    }
}

impl Acknowledging {
    /// Acknowledges once, after a pause if it is not the first try. Returns `None` if the tries or the time are used up.
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

fn log_exit(exit: Exit, reason: &str, is_kept: bool) {
    match exit {
        Exit::NoLedger => tracing::error!("could not reach the ledger, so the job was not acknowledged"),
        Exit::Unknown if is_kept => tracing::warn!(
            reason,
            "an acknowledgement is unanswered; if it took effect, a later invocation adopts the job"
        ),
        Exit::Unknown => tracing::error!(
            reason,
            "an acknowledgement is unanswered; if it took effect, the job hangs until its action times out"
        ),
        Exit::NotHeld => tracing::error!(
            "acknowledged the job, but the ledger did not confirm in time that this worker holds it: a later invocation adopts \
             it, and follows onCrash if the entry says held"
        ),
        Exit::HeldByOther => tracing::info!("left the job: the ledger says that another worker holds it"),
        Exit::Lost
        | Exit::HoldLost
        | Exit::Unreported
        | Exit::NotInProgress
        | Exit::Unstopped
        | Exit::Marked
        | Exit::Done => tracing::info!(reason, "left the job to other workers"),
    }
}
