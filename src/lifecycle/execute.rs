//! Executes a claimed job: fetches stale details again, runs a turn, and checks that the outcome holds no secret.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::continuation::ActionRun;
use super::fresh::{FromDetails, learn};
use super::guard::without_secret;
use super::hold::Gate;
use super::panics::panicked;
use super::turn::{FailedTurn, TurnTask, Work};
use super::{Known, Lifecycle};
use crate::actions::{Abandoned, Served};
use crate::job::{Continuation, Failure, FailureCode, FailureKind, Job, Origin, Outcome};
use crate::metrics::JobMeter;
use crate::queue::{Claim, Details};
use crate::redact::{Learned, Redactor};
use crate::workspace::Workspace;

const LOW_DISK: FailureCode = FailureCode::new("LowDisk");
const WORK_FOLDER_NOT_CREATED: FailureCode = FailureCode::new("WorkFolderNotCreated");
const OVERALL_TIMEOUT: FailureCode = FailureCode::new("OverallTimeout");

/// The worker fetches details that are older than this again. Such a job has waited for room, and its credentials date from the poll.
/// The Jenkins plugin always fetches them, because credentials expired in its queue.
const STALE: Duration = Duration::from_secs(5);

/// An executed job.
pub(super) struct Executed {
    pub(super) result: Result<Outcome, Failure>,
    /// Masks secrets in the report.
    pub(super) redactor: Redactor,
    /// The job's folder, to be removed after the report.
    pub(super) workspace: Option<Arc<Workspace>>,
    /// Work that may run outside. The worker stops it if no later job will resume it.
    pub(super) running: Option<Abandoned>,
}

impl Executed {
    /// A job whose execution panicked. The message is the worker's own, so there is nothing to mask.
    pub(super) fn panicked() -> Self {
        Self::failed(panicked(), None)
    }

    /// A job that failed without an execution by this worker.
    pub(super) fn failed(failure: Failure, running: Option<Abandoned>) -> Self {
        Self { result: Err(failure), redactor: Redactor::default(), workspace: None, running }
    }
}

/// Executes a claimed job, whose action waits until `held` opens. Returns by `end_by`.
pub(super) async fn execute(
    lifecycle: &Lifecycle,
    claim: &Claim,
    known: Known,
    served: &Arc<Served>,
    held: Gate,
    end_by: Instant,
    meter: &Arc<JobMeter>,
) -> Executed {
    let Known { details, since } = current(lifecycle, claim, known, end_by).await;
    let Details { mut job, credentials } = details;
    let learned = Learned::default();
    credentials.iter().for_each(|credentials| learn(&learned, credentials));
    let run = match open_run(&mut job, (lifecycle.wall_clock)()) {
        Ok(run) => run,
        Err(failure) => {
            let redactor = redactor(&job, &learned, served);
            return Executed { result: Err(failure), redactor, workspace: None, running: None };
        }
    };
    let job = Arc::new(job);
    let (ended, workspace) = match workspace(lifecycle, claim, &job, served, meter) {
        Err(failure) => (Err(FailedTurn::untouched(failure)), None),
        Ok(workspace) => {
            let workspace = Arc::new(match &lifecycle.clean {
                Some(folder) => workspace.cleaning(folder),
                None => workspace,
            });
            let store = credentials.map(|credentials| {
                let action_type = job.action_type.clone();
                let (queue, key) = (lifecycle.queue.clone(), claim.key().clone());
                let fresh = FromDetails { queue, key, action_type, end_by, learned: learned.clone() };
                Arc::new(lifecycle.stores.for_job(&credentials, since, Arc::new(fresh)))
            });
            let (turn_workspace, served) = (Arc::clone(&workspace), Arc::clone(served));
            let age = run.age((lifecycle.wall_clock)());
            let meter = Arc::clone(meter);
            let turn = TurnTask {
                job: Arc::clone(&job),
                age,
                workspace: turn_workspace,
                store,
                served,
                learned: learned.clone(),
                meter,
                held,
            };
            (turn.guarded(lifecycle.unpacking, end_by).await, Some(workspace))
        }
    };
    let redactor = redactor(&job, &learned, served);
    let running = |token| Abandoned { execution_id: run.execution_id.clone(), token };
    match ended {
        Ok(Outcome::Continue(continuation)) => {
            let running = Some(running(Some(continuation.token.clone())));
            let result = continued(continuation, &run, served, (lifecycle.wall_clock)());
            Executed { result: without_secret(result, &redactor), redactor, workspace, running }
        }
        Ok(finished @ Outcome::Finished(_)) => {
            let result = without_secret(Ok(claim.reportable(finished)), &redactor);
            Executed { result, redactor, workspace, running: None }
        }
        Err(FailedTurn { failure, work }) => {
            let token = job.continuation_token.as_ref().map(|token| token.expose_secret().to_owned());
            let running = match work {
                Work::Over => None,
                Work::Untouched => token.map(|token| running(Some(token))),
                Work::Unknown => Some(running(token)),
            };
            Executed { result: without_secret(Err(failure), &redactor), redactor, workspace, running }
        }
    }
}

/// Creates the job's folder. An invoked job can't be left to another worker, so it fails if the disk has too little room. A
/// polled job is claimed only if there is enough.
fn workspace(
    lifecycle: &Lifecycle,
    claim: &Claim,
    job: &Job,
    served: &Served,
    meter: &JobMeter,
) -> Result<Workspace, Failure> {
    if claim.key().origin() == Origin::Invoked
        && served.action.wants_files_boxed()
        && let Some(shortage) = lifecycle.shortage()
    {
        meter.note(|it| &mut it.low_disk, 1);
        tracing::error!(
            freeBytes = shortage.free,
            minFreeBytes = shortage.needed,
            error = %shortage,
            "failed the invoked job, because it needs files"
        );
        return Err(Failure::new(FailureKind::SystemUnavailable, LOW_DISK, shortage.to_string()));
    }
    Workspace::create(&lifecycle.work_folder, job)
        .map_err(|error| Failure::new(FailureKind::JobFailed, WORK_FOLDER_NOT_CREATED, error.to_string()))
}

/// Reads the run that the job belongs to. Puts the run's execution id and the action's own token into the job, so that an action
/// sees the same id in all jobs of a run and never sees the envelope.
fn open_run(job: &mut Job, now: SystemTime) -> Result<ActionRun, Failure> {
    let run = match job.continuation_token.take() {
        None => {
            let execution_id = job.pipeline.action_execution_id.clone().unwrap_or_else(|| job.id.clone());
            ActionRun::begin(execution_id, now)
        }
        Some(sealed) => {
            let (run, token) = ActionRun::open(sealed.expose_secret(), &job.action_type)?;
            job.continuation_token = Some(token.into());
            run
        }
    };
    job.pipeline.action_execution_id = Some(run.execution_id.clone());
    Ok(run)
}

/// The continuation for CodePipeline, with the token in its envelope. Fails if the run has reached its time limit.
fn continued(
    continuation: Continuation,
    run: &ActionRun,
    served: &Served,
    now: SystemTime,
) -> Result<Outcome, Failure> {
    let limit = served.overall_timeout;
    if run.age(now) >= limit {
        let message = format!(
            "the action had not finished after {} s over all its jobs; its limit is {} s (timeoutSeconds), so its work was stopped",
            run.age(now).as_secs(),
            limit.as_secs()
        );
        let external_execution_id = continuation.external_execution_id;
        return Err(Failure {
            external_execution_id,
            ..Failure::new(FailureKind::JobFailed, OVERALL_TIMEOUT, message)
        });
    }
    match run.seal(&served.action_type, &continuation.token) {
        Ok(token) => Ok(Outcome::Continue(Continuation { token, ..continuation })),
        Err(failure) => Err(Failure { external_execution_id: continuation.external_execution_id, ..failure }),
    }
}

/// Fetches the job's details again if they are stale.
async fn current(lifecycle: &Lifecycle, claim: &Claim, known: Known, latest: Instant) -> Known {
    if known.since.elapsed() < STALE {
        return known;
    }
    let since = Instant::now();
    match lifecycle.queue.details(claim.key(), &known.details.job.action_type, latest).await {
        Ok(details) => Known { details, since },
        Err(error) => {
            tracing::warn!(%error, "could not fetch the job's details again; continuing with the details from the poll");
            known
        }
    }
}

/// The redactor for the job's report. It masks the values of the secret keys, the action's own secrets, and those that the turn
/// learned: every credential that the job received, and what the action added.
fn redactor(job: &Job, learned: &Learned, served: &Served) -> Redactor {
    Redactor::named(served.secrets_of(job).into_iter().chain(learned.all()))
}
