//! One job's life, in order: intake, execute, deliver. Every other module knows one step; only this one knows the order.
//!
//! ```text
//! offer ─▶ intake: acknowledge ─▶ execute: details (when stale) ─▶ stage in ─▶ action ─▶ stage out ─▶ deliver: report
//! ```

mod deliver;
mod execute;
mod intake;
mod links;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actions::Served;
use crate::artifacts::{Limits, Stores};
use crate::queue::Offer;
use crate::queue::custom::CustomQueue;

/// What every job's life needs. Made once per process.
pub struct Lifecycle {
    /// Where offers came from and reports go.
    pub queue: CustomQueue,
    /// Makes each job's own S3 client.
    pub stores: Stores,
    /// What an artifact may unpack to.
    pub unpacking: Limits,
    /// Where jobs have their folders.
    pub work_folder: PathBuf,
    /// Kept free at the end of an invocation: nothing but reporting happens in it.
    pub reporting: Duration,
}

/// How a job's turn ended, as the invocation's summary counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Another worker has the job, or nobody knows: nothing was run and nothing reported.
    Lost,
    /// Reported as succeeded.
    Succeeded,
    /// Reported as failed.
    Failed,
    /// Reported with a continuation token.
    Continued,
    /// Claimed, but the service would not have the report, or could not be reached before the deadline.
    Undelivered,
}

impl Lifecycle {
    /// Lives one job's life to its end, at the latest at `deadline`, the invocation's.
    pub async fn live(&self, offer: Offer, served: &Arc<Served>, deadline: Instant) -> End {
        let Some(claim) = intake::claim(&self.queue, &offer).await else { return End::Lost };
        let executed = execute::execute(self, &claim, offer, served, deadline - self.reporting).await;
        deliver::deliver(&self.queue, claim, executed, deadline).await
    }
}
