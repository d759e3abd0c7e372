//! From an offer to a claim, or to nothing.

use tokio::time::Instant;

use crate::queue::custom::CustomQueue;
use crate::queue::{Acknowledged, Claim, Offer};

/// What became of an offer.
pub(super) enum Intake {
    /// The job is ours to run and to report.
    Claimed(Claim),
    /// Another has it, or can have it.
    Lost,
    /// Nobody knows whose it is.
    Unknown,
}

/// Acknowledges the offer, but not after `latest`: then too little time is left for the work. Without a claim there is
/// nothing to report with, so a lost race can't fail the winner's job.
pub(super) async fn claim(queue: &CustomQueue, offer: &Offer, latest: Instant) -> Intake {
    match queue.acknowledge(offer, latest).await {
        Acknowledged::Claimed(claim) => {
            let age = u64::try_from(offer.polled_at.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(offer.age_ms = age, "acknowledged the job");
            Intake::Claimed(claim)
        }
        Acknowledged::Refused(reason) => {
            tracing::info!(reason, "the job is left to others");
            Intake::Lost
        }
        Acknowledged::Unknown(reason) => {
            tracing::error!(
                reason,
                "nobody knows whether the job was acknowledged: an answer got lost; it is left alone, \
                 and may hang until its action times out"
            );
            Intake::Unknown
        }
    }
}
