//! One job's life, in order: intake, execute, deliver. Every other module knows one step; only this one knows the order.
//!
//! ```text
//! offer ─▶ intake: acknowledge ─▶ execute: details (when stale) ─▶ stage in ─▶ action ─▶ stage out ─▶ deliver: report
//! ```
//!
//! A Lambda Invoke job comes claimed, so its life begins with execute. Work that goes on outside is `continuation`'s: it
//! wraps the token that CodePipeline keeps between the jobs of one run of an action.

mod continuation;
mod deliver;
mod execute;
mod fresh;
mod intake;
mod links;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::actions::Served;
use crate::artifacts::{Limits, Stores};
use crate::queue::{Claim, Details, InvokedJob, Offer, Queue};
use execute::Executed;
use intake::Intake;

/// What every job's life needs. Made once per process.
pub struct Lifecycle {
    /// Where offers came from and reports go.
    pub queue: Queue,
    /// Makes each job's own S3 client.
    pub stores: Stores,
    /// What an artifact may unpack to.
    pub unpacking: Limits,
    /// Where jobs have their folders.
    pub work_folder: PathBuf,
    /// Kept free at the end of an invocation: nothing but reporting happens in it.
    pub reporting: Duration,
    /// The wall clock, for what outlasts an invocation: how long the jobs of one run of an action have taken together.
    pub wall_clock: WallClock,
}

/// Tells the time of day.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

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
        let latest = deadline - self.reporting - served.timeout;
        let claim = match intake::claim(&self.queue, &offer, latest).await {
            Intake::Claimed(claim) => claim,
            Intake::Lost => return End::Lost,
            Intake::Unknown => return End::Unknown,
        };
        let Offer { job, credentials, polled_at, .. } = offer;
        let known = Known { details: Details { job, credentials }, since: polled_at };
        self.live_claimed(claim, known, served, false, deadline).await
    }

    /// Lives the life of a job that was delivered and not polled.
    pub async fn live_invoked(&self, invoked: InvokedJob, served: &Arc<Served>, deadline: Instant) -> End {
        let InvokedJob { details, claim, received_at } = invoked;
        // Lambda may deliver an event twice, and these jobs have no acknowledgement to tell. One with a continuation token
        // has its only sign of being abandoned in that its report is refused, so it is taken for what it seems.
        let perhaps_twice = details.job.continuation_token.is_none();
        let known = Known { details, since: received_at };
        self.live_claimed(claim, known, served, perhaps_twice, deadline).await
    }

    async fn live_claimed(
        &self,
        claim: Claim,
        known: Known,
        served: &Arc<Served>,
        perhaps_twice: bool,
        deadline: Instant,
    ) -> End {
        let executing = AssertUnwindSafe(execute::execute(self, &claim, known, served, deadline - self.reporting));
        let mut executed = executing.catch_unwind().await.unwrap_or_else(|payload| {
            swallow(payload);
            Executed::panicked()
        });
        let workspace = executed.workspace.take();
        let end = deliver::deliver(&self.queue, claim, executed, served, perhaps_twice, deadline).await;
        // After the report: a large folder takes its time to go, a report can't wait.
        if let Some(workspace) = workspace {
            let _ = tokio::task::spawn_blocking(move || workspace.remove()).await;
        }
        end
    }

    /// Fails a delivered job that no action is configured for: its pipeline would wait in vain.
    pub async fn refuse_invoked(&self, invoked: InvokedJob, deadline: Instant) -> End {
        deliver::refuse(&self.queue, invoked.claim, &invoked.details.job.action_type, deadline).await
    }
}

/// Lets a panic end here. What it carries is leaked and not dropped: an action may panic with a value whose destructor panics,
/// which would end the job's life before its report.
pub(crate) fn swallow(payload: Box<dyn Any + Send>) {
    std::mem::forget(payload);
}

/// What is known of a claimed job, and since when.
struct Known {
    details: Details,
    since: Instant,
}
