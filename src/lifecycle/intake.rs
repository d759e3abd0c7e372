//! Takes a job on offer: writes a claiming entry and acknowledges the job. The hold follows (`hold.rs`).

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::End;
use super::keeper::Keeper;
use super::place::Place;
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
///
/// The acknowledgement waits until the job's turn comes at its place: the claiming entry may be written before that.
pub(super) async fn claim(
    queue: &Queue,
    offer: &Offer,
    keeper: &mut Keeper,
    latest: Instant,
    place: &Place,
) -> Result<Claim, End> {
    let until = latest.min(offer.polled_at + ACKNOWLEDGE_WITHIN);
    let acknowledging = Acknowledging { until, tries: 0, place };
    if Instant::now() >= acknowledging.until {
        tracing::info!(
            "left the job to other workers: its offer is older than 25 s, or too little time is left for it"
        );
        return Err(End::Lost);
    }
    let write_by = latest.min(offer.polled_at + WRITE_WITHIN);
    take(queue, offer, keeper, acknowledging, write_by).await
}

struct Acknowledging<'a> {
    until: Instant,
    tries: u32,
    place: &'a Place,
}

async fn take(
    queue: &Queue,
    offer: &Offer,
    keeper: &mut Keeper,
    mut acknowledging: Acknowledging<'_>,
    write_by: Instant,
) -> Result<Claim, End> {
    let mut denied = false;
    let mut reason = "no time was left to acknowledge it".to_owned();
    loop {
        match keeper.settle(write_by).await {
            Command::Acknowledge => match acknowledging.once(queue, offer).await {
                None => keeper.tell(Event::GivenUp),
                Some(Acknowledged::Claimed(claim)) => {
                    keeper.tell(Event::InProgress);
                    // A worker that vouches for the holder does not hold the job.
                    if keeper.is_to_hold() {
                        tracing::info!(offerAgeMs = milliseconds(offer.polled_at.elapsed()), "acknowledged the job");
                        return Ok(claim);
                    }
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
            Command::Leave(Exit::Lost) if denied => return Err(End::Denied),
            Command::Leave(exit) => {
                log_exit(exit, &reason, keeper.is_kept());
                return Err(End::of_offer(exit));
            }
            // The protocol never runs an unacknowledged job, and never reports one that did not run.
            _ => return Err(End::Lost),
        }
    }
}

impl Acknowledging<'_> {
    /// Acknowledges once: when the job's turn comes, or after a pause if it is not the first try. Returns `None` if the tries or the
    /// time are used up.
    async fn once(&mut self, queue: &Queue, offer: &Offer) -> Option<Acknowledged> {
        if self.tries == 0 {
            timeout_at(self.until, self.place.turn_comes()).await.ok()?;
        } else {
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

pub(super) fn log_exit(exit: Exit, reason: &str, is_kept: bool) {
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
