//! From an offer to a claim, or to nothing.

use crate::queue::{Acknowledged, Claim, Offer, Queue};

/// Acknowledges the offer. Without a claim there is nothing to report with, so a lost race can't fail the winner's job.
pub(super) async fn claim(queue: &Queue, offer: &Offer) -> Option<Claim> {
    match queue.acknowledge(offer).await {
        Acknowledged::Claimed(claim) => {
            let age_ms = offer.polled_at.elapsed().as_millis();
            tracing::info!(offer.age_ms = %age_ms, "acknowledged the job");
            Some(claim)
        }
        Acknowledged::Refused(reason) => {
            tracing::info!(reason, "the job went to another worker");
            None
        }
        Acknowledged::Unknown(reason) => {
            tracing::error!(
                reason,
                "nobody knows whether the job was acknowledged: an answer got lost; it is left alone, \
                 and may hang until its action times out"
            );
            None
        }
    }
}
