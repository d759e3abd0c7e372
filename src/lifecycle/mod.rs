//! One job's life, in order: intake, execute, report. Every other module knows one step; only this one knows the order.
//!
//! ```text
//! offer ─▶ intake: claim in the ledger ─▶ acknowledge ─▶ hold in the ledger
//!                                                           │
//!          execute: details (when stale) ─▶ stage in ─▶ action ─▶ stage out
//!                                                                    │
//!          report: outcome into the ledger ─▶ send ─▶ stop what runs on ─▶ mark done ◀─┘
//! ```
//!
//! A Lambda Invoke job comes claimed, so its life begins with holding it. `protocol` says who may go on at each step, and
//! `keeper` keeps the ledger's side of it; `recover` takes up the lives of jobs whose worker died. Work that goes on outside
//! is `continuation`'s: it wraps the token that CodePipeline keeps between the jobs of one run of an action.

mod continuation;
mod end;
mod execute;
mod fresh;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod intake;
mod keeper;
mod links;
mod orphan;
mod panics;
pub mod protocol;
mod recover;
mod reporting;
mod staging;
mod stopping;
mod turn;
mod will;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::actions::Served;
use crate::artifacts::{Stores, UnpackLimits};
use crate::job::Failure;
use crate::ledger::{InvocationId, Ledger};
use crate::queue::{Claim, Details, InvokedJob, Offer, Queue};
use crate::workspace;
use execute::Executed;
use keeper::Keeper;
use protocol::Command;
use reporting::{Others, Reporting};

pub use crate::workspace::Shortage;
pub use end::End;
pub use orphan::Orphan;
pub(crate) use stopping::stop_by;

/// No call is under way when Lambda freezes or kills the process.
pub(crate) const BEFORE_DEADLINE: Duration = Duration::from_secs(1);

/// How long the ledger is waited for at least when a delivered job comes late: as long as for a polled one.
const FOR_LEDGER: Duration = Duration::from_secs(20);

/// What every job's life needs. Made once per process.
pub struct Lifecycle {
    /// Where offers came from and reports go.
    pub queue: Queue,
    /// Who runs which job; `None` if nothing is to be kept, and a job whose worker dies hangs.
    pub ledger: Option<Ledger>,
    /// Makes each job's own S3 client.
    pub stores: Stores,
    /// What an artifact may unpack to.
    pub unpacking: UnpackLimits,
    /// Where jobs have their folders.
    pub work_folder: PathBuf,
    /// The folder around it, if what commands leave there is to be removed.
    pub clean: Option<PathBuf>,
    /// With fewer bytes free there, no job is taken that needs files.
    pub min_free_bytes: u64,
    /// Kept free at the end of an invocation: nothing but reporting happens in it.
    pub reporting: Duration,
    /// The wall clock, for what outlasts an invocation: how long the jobs of one run of an action have taken together.
    pub wall_clock: WallClock,
}

/// Tells the time of day.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// One invocation of the function, as the ledger knows it.
#[derive(Clone, Copy)]
pub struct Invocation {
    /// Made afresh for each, since Lambda may deliver one event twice.
    pub id: InvocationId,
    /// When it is over. A watchdog ends the process then, if it is not done by itself.
    pub deadline: Instant,
}

impl Invocation {
    /// One that is over at `deadline`.
    pub fn until(deadline: Instant) -> Self {
        Self { id: InvocationId::random(), deadline }
    }
}

impl Lifecycle {
    /// Lives one job's life to its end, at the latest at the invocation's. Whatever happens while the job is executed, a
    /// panic included, there is a result to report.
    pub async fn live(&self, offer: Offer, served: &Arc<Served>, invocation: Invocation) -> End {
        let latest = invocation.deadline - self.reporting - served.timeout;
        let mut keeper = Keeper::new(self.ledger.as_ref(), invocation, &offer.job, offer.origin());
        let claim = match intake::claim(&self.queue, &offer, &mut keeper, latest).await {
            Ok(claim) => claim,
            Err(end) => return end,
        };
        let Offer { job, credentials, polled_at, .. } = offer;
        let known = Known { details: Details { job, credentials }, since: polled_at };
        self.live_claimed(claim, &mut keeper, known, served, Others::None).await
    }

    /// Lives the life of a job that was delivered and not polled.
    pub async fn live_invoked(&self, invoked: InvokedJob, served: &Arc<Served>, invocation: Invocation) -> End {
        let InvokedJob { details, claim, received_at } = invoked;
        let mut keeper = Keeper::new(self.ledger.as_ref(), invocation, &details.job, claim.key().origin());
        // However little time is left: nobody else is offered the job, so it is begun, or fails with words that say why. But the
        // ledger is not waited for in the time that the work needs.
        let latest = invocation.deadline - self.reporting;
        let in_time = (latest - served.timeout).max(Instant::now() + FOR_LEDGER);
        match keeper.settle(latest.min(in_time)).await {
            Command::Run => {}
            Command::Leave(exit) if End::of_invoked(exit) == End::NoLedger => {
                tracing::error!(
                    "could not reach the ledger, so the job was not begun: it hangs until its action times out"
                );
                return End::NoLedger;
            }
            _ => {
                tracing::info!("ignored the event: the ledger says that another invocation has the job");
                return End::Lost;
            }
        }
        // Lambda may deliver an event twice, and without a ledger nothing tells. A job with a continuation token has its
        // only sign of being abandoned in that its report is refused, so it is taken for what it seems.
        let is_alone = keeper.is_kept() || details.job.continuation_token.is_some();
        let others = if is_alone { Others::None } else { Others::Perhaps };
        let known = Known { details, since: received_at };
        self.live_claimed(claim, &mut keeper, known, served, others).await
    }

    async fn live_claimed(
        &self,
        claim: Claim,
        keeper: &mut Keeper,
        known: Known,
        served: &Arc<Served>,
        others: Others,
    ) -> End {
        let deadline = keeper.deadline();
        let executing = async { execute::execute(self, &claim, known, served, deadline - self.reporting).await };
        let mut executed = panics::guarded(executing).await.unwrap_or_else(Executed::panicked);
        let workspace = executed.workspace.take();
        let served = std::slice::from_ref(served);
        let reporting = Reporting { queue: &self.queue, claim, keeper, served, deadline };
        let end = reporting.report(executed, others).await;
        // After the report: a large folder takes its time to go, a report can't wait.
        if let Some(workspace) = workspace {
            let span = tracing::Span::current();
            let _ = tokio::task::spawn_blocking(move || span.in_scope(|| workspace.remove())).await;
        }
        end
    }

    /// Tells whether the disk has too little room for a job that needs files.
    pub fn shortage(&self) -> Option<Shortage> {
        workspace::shortage(&self.work_folder, self.min_free_bytes)
    }

    /// Fails a delivered job that can't be run: its pipeline would wait in vain.
    pub async fn refuse(&self, claim: Claim, why: Failure, deadline: Instant) -> End {
        reporting::refuse(&self.queue, claim, why, deadline).await
    }
}

/// What is known of a claimed job, and since when.
struct Known {
    details: Details,
    since: Instant,
}
