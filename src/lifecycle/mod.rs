//! One job from its offer to its report: intake, execute, report. Only this module knows the order of the steps.
//!
//! ```text
//! intake    offer ─▶ write a claiming entry ─▶ acknowledge ─┬─▶ hold in the ledger
//!    ┌──────────────────────────────────────────────────────┘
//! execute   fetch stale details again ─▶ stage in ─▶ action ─▶ stage out        The action waits for the hold.
//!    ▼
//! report    write the outcome into the ledger ─▶ send it ─▶ stop work outside ─▶ write that the job is done
//!           Meanwhile the job's folder is removed.
//! ```
//!
//! A Lambda Invoke job arrives claimed, so the worker starts with the hold. `protocol` decides at each step who may continue, and
//! `keeper` sends its requests to the ledger. `recover` adopts jobs after a worker death. `continuation` wraps the token that
//! CodePipeline keeps between the jobs of one run.

mod continuation;
mod end;
mod execute;
mod fresh;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod hold;
mod intake;
mod keeper;
mod links;
mod orphan;
mod panics;
mod place;
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
use crate::metrics::{InvocationMeter, JobMeter, Metrics};
use crate::queue::{Claim, Details, InvokedJob, Offer, Queue};
use crate::workspace::{self, Workspace};
use execute::Executed;
use hold::{Holding, gate};
use keeper::Keeper;
use reporting::{Others, Reporting};

pub use crate::workspace::Shortage;
pub use continuation::execution_id;
pub use end::End;
pub use orphan::{Orphan, Orphans};
pub(crate) use panics::guarded;
pub use place::{Place, Places};
pub(crate) use stopping::stop_by;

/// All calls end this long before the deadline, so that none is under way when Lambda freezes or kills the process.
pub(crate) const BEFORE_DEADLINE: Duration = Duration::from_secs(1);

/// The least time that the worker waits for the ledger when an invoked job arrives late. It is as long as for a polled job.
const FOR_LEDGER: Duration = Duration::from_secs(20);

/// The parts that every job needs. Created once per process.
pub struct Lifecycle {
    /// Polls for offers and sends reports.
    pub queue: Queue,
    /// Records who runs which job. Without a ledger, a job hangs after a worker death.
    pub ledger: Option<Ledger>,
    /// Creates the S3 client of each job.
    pub stores: Stores,
    /// How large an unpacked artifact may be.
    pub unpacking: UnpackLimits,
    /// The folder for the jobs' folders.
    pub work_folder: PathBuf,
    /// The folder in which the worker removes what commands leave outside their own folders. `None` if it removes nothing.
    pub clean: Option<PathBuf>,
    /// With fewer bytes free in the work folder, the worker takes no job that needs files.
    pub min_free_bytes: u64,
    /// The time for reports at the end of an invocation.
    pub reporting: Duration,
    /// Measures jobs and invocations.
    pub metrics: Metrics,
    /// The wall clock, for the age of a run. A run outlasts an invocation, so a monotonic clock can't measure it.
    pub wall_clock: WallClock,
}

/// Returns the current time.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// One invocation of the function, as the ledger knows it.
#[derive(Clone, Copy)]
pub struct Invocation {
    /// Random, because Lambda may deliver one event twice with one request id.
    pub id: InvocationId,
    /// When it must have ended. A watchdog ends the process then if the invocation has not returned.
    pub deadline: Instant,
    /// The time of the event that woke the worker, for the job that this event is about.
    pub event_time: Option<SystemTime>,
}

impl Invocation {
    /// An invocation that must have ended by `deadline`.
    pub fn until(deadline: Instant) -> Self {
        Self { id: InvocationId::random(), deadline, event_time: None }
    }
}

impl Lifecycle {
    /// Takes a job on offer, executes it and reports its outcome before the invocation's deadline. A panic of the action becomes a
    /// failure, so that every claimed job is reported.
    pub async fn live(&self, offer: Offer, served: &Arc<Served>, invocation: Invocation) -> End {
        self.live_at(Place::only(), offer, served, invocation).await
    }

    /// The same for a job that has its `place` among others.
    pub async fn live_at(&self, place: Place, offer: Offer, served: &Arc<Served>, invocation: Invocation) -> End {
        let meter = Arc::new(JobMeter::new(&self.metrics, &offer.job.action_type));
        self.take(place, offer, served, invocation, &meter).await.measure(&meter)
    }

    async fn take(
        &self,
        place: Place,
        offer: Offer,
        served: &Arc<Served>,
        invocation: Invocation,
        meter: &Arc<JobMeter>,
    ) -> End {
        let latest = invocation.deadline - self.reporting - served.timeout;
        let mut keeper = Keeper::new(self.ledger.as_ref(), invocation, &offer.job, offer.origin());
        let claim = match intake::claim(&self.queue, &offer, &mut keeper, latest, &place).await {
            Ok(claim) => claim,
            Err(end) => return end,
        };
        if let Some(event) = invocation.event_time {
            let since = (self.wall_clock)().duration_since(event).unwrap_or_default();
            meter.note_time(|it| &mut it.time_to_claim_ms, since);
        }
        let Offer { job, credentials, polled_at, .. } = offer;
        let known = Known { details: Details { job, credentials }, since: polled_at };
        let taken = Taken { claim, known, holding: Holding::Polled(polled_at), others: Others::None, place };
        self.live_claimed(taken, &mut keeper, served, meter).await
    }

    /// Executes a job that came in an event and reports its outcome.
    pub async fn live_invoked(
        &self,
        invoked: InvokedJob,
        served: &Arc<Served>,
        invocation: Invocation,
        meter: &Arc<JobMeter>,
    ) -> End {
        let InvokedJob { details, claim, received_at } = invoked;
        let mut keeper = Keeper::new(self.ledger.as_ref(), invocation, &details.job, claim.key().origin());
        // No other worker is offered the job, so this one starts it even with little time left. But it does not spend the action's
        // time on waiting for the ledger.
        let latest = invocation.deadline - self.reporting;
        let in_time = (latest - served.timeout).max(Instant::now() + FOR_LEDGER);
        let holding = Holding::Invoked(latest.min(in_time));
        // Lambda may deliver an event twice, and without a ledger the worker can't know. For a job with a continuation token, a
        // refused report is the only sign that the action was abandoned, so there the worker assumes that it is alone.
        let is_alone = keeper.is_kept() || details.job.continuation_token.is_some();
        let others = if is_alone { Others::None } else { Others::Perhaps };
        let known = Known { details, since: received_at };
        let taken = Taken { claim, known, holding, others, place: Place::only() };
        self.live_claimed(taken, &mut keeper, served, meter).await
    }

    /// Holds and executes a claimed job, and reports its outcome. Calls that don't depend on each other run concurrently: the hold
    /// and the staging of the inputs, and later the report and the removal of the folder.
    async fn live_claimed(
        &self,
        taken: Taken,
        keeper: &mut Keeper,
        served: &Arc<Served>,
        meter: &Arc<JobMeter>,
    ) -> End {
        let Taken { claim, known, holding, others, mut place } = taken;
        let deadline = keeper.deadline();
        let end_by = deadline - self.reporting;
        let (opener, gate) = gate();
        let executing = async { execute::execute(self, &claim, known, served, gate, end_by, meter).await };
        // On the heap: the futures of two halves of a job would fill most of a thread's stack in an unoptimized build.
        let (held, executed) = tokio::join!(Box::pin(holding.write(keeper, opener)), Box::pin(guarded(executing)));
        let mut executed = executed.unwrap_or_else(Executed::panicked);
        let workspace = executed.workspace.take();
        if let Err(end) = held {
            remove(workspace).await;
            return end;
        }
        let (room, unreported) = place.split();
        let served = std::slice::from_ref(served);
        let reporting = Reporting { queue: &self.queue, claim, keeper, served, deadline, unreported };
        let removing = async {
            remove(workspace).await;
            drop(room);
        };
        let (end, ()) = tokio::join!(Box::pin(reporting.report(executed, others)), removing);
        end
    }

    /// The shortage of disk space, if too little is free for a job that needs files.
    pub fn shortage(&self) -> Option<Shortage> {
        workspace::shortage(&self.work_folder, self.min_free_bytes)
    }

    /// Measures an invocation.
    pub(crate) fn measure_invocation(&self) -> InvocationMeter {
        let mut meter = InvocationMeter::new(&self.metrics);
        meter.values.free_disk_bytes = workspace::free_bytes(&self.work_folder);
        meter
    }

    /// Fails an invoked job that the worker can't run. Otherwise its pipeline waits until the action times out.
    pub async fn refuse(&self, claim: Claim, why: Failure, deadline: Instant) -> End {
        reporting::refuse(&self.queue, claim, why, deadline).await
    }
}

/// Removes the job's folder. A large one takes long, so this runs on a thread of its own.
async fn remove(workspace: Option<Arc<Workspace>>) {
    if let Some(workspace) = workspace {
        let span = tracing::Span::current();
        let _ = tokio::task::spawn_blocking(move || span.in_scope(|| workspace.remove())).await;
    }
}

/// A claimed job, and how it was taken.
struct Taken {
    claim: Claim,
    known: Known,
    holding: Holding,
    others: Others,
    place: Place,
}

/// The details of a claimed job, and when they were fetched.
struct Known {
    details: Details,
    since: Instant,
}
