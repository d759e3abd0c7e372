//! One job's life, in order: intake, execute, deliver. Every other module knows one step; only this one knows the order.
//!
//! ```text
//! offer ─▶ intake: acknowledge ─▶ execute: details (when stale) ─▶ stage in ─▶ action ─▶ stage out ─▶ deliver: report
//! ```

mod deliver;
mod execute;
mod intake;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::actions::Served;
use crate::artifacts::{Limits, Stores};
use crate::queue::Offer;
use crate::queue::custom::CustomQueue;
use execute::Executed;
use intake::Intake;

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
    /// Another worker has the job: nothing was run and nothing reported.
    Lost,
    /// Nobody knows whether the job was acknowledged: nothing was run and nothing reported.
    Unknown,
    /// Reported as succeeded.
    Succeeded,
    /// Reported as failed.
    Failed,
    /// Reported with a continuation token.
    Continued,
    /// The job was over before it was reported: stopped, timed out, or finished by another.
    Over,
    /// Claimed, but the service would not have the report, or could not be reached before the deadline.
    Undelivered,
}

impl Lifecycle {
    /// Lives one job's life to its end, at the latest at `deadline`, the invocation's. Whatever happens while the job is
    /// executed, a panic included, there is a result to report.
    pub async fn live(&self, offer: Offer, served: &Arc<Served>, deadline: Instant) -> End {
        let end_by = deadline - self.reporting;
        let claim = match intake::claim(&self.queue, &offer, end_by - served.timeout).await {
            Intake::Claimed(claim) => claim,
            Intake::Lost => return End::Lost,
            Intake::Unknown => return End::Unknown,
        };
        let executing = AssertUnwindSafe(execute::execute(self, &claim, offer, served, end_by));
        let executed = executing.catch_unwind().await.unwrap_or_else(|_| Executed::panicked());
        let Executed { result, redactor, workspace } = executed;
        let end = deliver::deliver(&self.queue, claim, result, &redactor, deadline).await;
        // After the report: a large folder takes its time to go, a report can't wait.
        if let Some(workspace) = workspace {
            let _ = tokio::task::spawn_blocking(move || workspace.remove()).await;
        }
        end
    }
}
