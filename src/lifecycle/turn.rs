//! One turn of a job, in a task of its own: stage in, action, stage out. The action waits until the worker holds the job.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::hold::Gate;
use super::links::JobLinks;
use super::panics::{panicked, swallow};
use super::staging::{Staging, staging_took_too_long, time_to_stage_in};
use crate::actions::{Served, Turn};
use crate::artifacts::{Store, UnpackLimits};
use crate::job::{Failure, FailureCode, FailureKind, Job, Outcome};
use crate::metrics::JobMeter;
use crate::redact::{Learned, Redactor};
use crate::telemetry::milliseconds;
use crate::workspace::Workspace;

const ACTION_CANCELLED: FailureCode = FailureCode::new("ActionCancelled");
const ACTION_TIMEOUT: FailureCode = FailureCode::new("ActionTimeout");
const INVOCATION_DEADLINE: FailureCode = FailureCode::new("InvocationDeadline");

/// How long a cancelled action may take to stop.
const CANCELLING: Duration = Duration::from_secs(2);

/// A turn of a job, with all that it needs.
pub(super) struct TurnTask {
    pub(super) job: Arc<Job>,
    /// How long ago the first job of this run of the action began.
    pub(super) age: Duration,
    pub(super) workspace: Arc<Workspace>,
    pub(super) store: Option<Arc<Store>>,
    pub(super) served: Arc<Served>,
    /// The job's credentials, and the secrets that the action learns. They outlast a panic of the task.
    pub(super) learned: Learned,
    pub(super) meter: Arc<JobMeter>,
    /// Opens when the worker holds the job.
    pub(super) held: Gate,
}

/// A turn that ended without an outcome of its action, or whose outputs could not be staged out.
pub(super) struct FailedTurn {
    pub(super) failure: Failure,
    pub(super) work: Work,
}

/// The state of the work outside after a failed turn.
pub(super) enum Work {
    /// Nothing runs: the action returned.
    Over,
    /// The action was not called, so work that an earlier job started still runs.
    Untouched,
    /// The action was cut off, or the service that it called did not answer, so work may run.
    Unknown,
}

/// Logs the beginning and the end of the action, also if the action panics or its future is dropped.
struct Acting {
    began: Instant,
    result: &'static str,
}

impl Acting {
    fn begin(resumes: bool) -> Self {
        if resumes {
            tracing::info!("resumed the action");
        } else {
            tracing::info!("started the action");
        }
        Self { began: Instant::now(), result: "CutOff" }
    }

    fn returned(&mut self, result: Option<&Result<Outcome, Failure>>) {
        self.result = match result {
            Some(Ok(Outcome::Finished(_))) => "Succeeded",
            Some(Ok(Outcome::Continue(_))) => "Continued",
            Some(Err(_)) => "Failed",
            None => self.result,
        };
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        tracing::info!(result = self.result, durationMs = milliseconds(self.began.elapsed()), "the action ended");
    }
}

impl FailedTurn {
    fn over(failure: Failure) -> Self {
        Self { failure, work: Work::Over }
    }

    pub(super) fn untouched(failure: Failure) -> Self {
        Self { failure, work: Work::Untouched }
    }

    fn unknown(failure: Failure) -> Self {
        Self { failure, work: Work::Unknown }
    }

    fn cut_off(code: FailureCode, message: impl Into<String>) -> Self {
        Self::unknown(Failure::new(FailureKind::JobFailed, code, message))
    }

    fn cancelled() -> Self {
        Self::cut_off(ACTION_CANCELLED, "the action was cancelled")
    }

    /// The worker does not hold the job. It reports nothing, so this failure is never sent.
    fn not_held() -> Self {
        Self::untouched(Failure::new(FailureKind::JobFailed, ACTION_CANCELLED, "the worker does not hold the job"))
    }

    fn out_of_time() -> Self {
        let message = "the action did not finish before the invocation's deadline: raise the function's timeout, or give the \
                       action less to do";
        Self::cut_off(INVOCATION_DEADLINE, message)
    }
}

impl TurnTask {
    /// Runs the turn in a task of its own. A panic or the deadline ends that task, and the worker can still report.
    pub(super) async fn guarded(self, unpacking: UnpackLimits, end_by: Instant) -> Result<Outcome, FailedTurn> {
        let turn = Arc::new(self);
        // A JoinSet aborts its task when it is dropped, so the task never outlives its invocation.
        let mut task = JoinSet::new();
        task.spawn({
            let turn = Arc::clone(&turn);
            async move { turn.take(&unpacking, end_by).await }.in_current_span()
        });
        let result = match timeout_at(end_by, task.join_next()).await {
            Ok(Some(Ok(result))) => result,
            Ok(Some(Err(error))) => Err(match error.try_into_panic() {
                Ok(payload) => {
                    swallow(payload);
                    FailedTurn::unknown(panicked())
                }
                Err(_) => FailedTurn::cancelled(),
            }),
            Ok(None) => Err(FailedTurn::cancelled()),
            Err(_) => {
                task.abort_all();
                match timeout(CANCELLING, task.join_next()).await {
                    Err(_) => tracing::error!("the action ignores its cancellation"),
                    Ok(Some(Err(error))) => error.try_into_panic().map_or((), swallow),
                    Ok(_) => {}
                }
                Err(FailedTurn::out_of_time())
            }
        };
        if let Some(store) = &turn.store
            && timeout(CANCELLING, store.finished()).await.is_err()
        {
            tracing::error!("staging ignores its cancellation");
        }
        result
    }

    async fn take(&self, limits: &UnpackLimits, end_by: Instant) -> Result<Outcome, FailedTurn> {
        let wants_files = self.served.action.wants_files_boxed();
        let (job, workspace, store) = (&*self.job, &*self.workspace, self.store.as_deref());
        let meter = &*self.meter;
        let staging = Staging { job, workspace, store, limits, meter };
        let staging_in = async {
            if wants_files {
                let _time = (!job.inputs.is_empty()).then(|| meter.time(|it| &mut it.staging_in_ms));
                let now = Instant::now();
                let limit = time_to_stage_in(end_by.saturating_duration_since(now), &self.served);
                let staged = timeout_at(now + limit, staging.stage_in()).await;
                staged.unwrap_or_else(|_| Err(staging_took_too_long(limit))).map_err(FailedTurn::untouched)?;
            }
            Ok(())
        };
        // Staging changes nothing outside the job's folder, so it need not wait for the hold.
        try_join(staging_in, self.wait_for_hold()).await?;
        let outcome = {
            let _time = meter.time(|it| &mut it.action_ms);
            self.act(end_by).await?
        };
        if let Outcome::Finished(finished) = &outcome {
            let stages = !job.outputs.is_empty() && (wants_files || !finished.outputs.is_empty());
            let _time = stages.then(|| meter.time(|it| &mut it.staging_out_ms));
            staging.stage_out(finished, wants_files).await.map_err(|failure| {
                let external_execution_id = finished.external_execution_id.clone();
                FailedTurn::over(Failure { external_execution_id, ..failure })
            })?;
        }
        Ok(outcome)
    }

    async fn wait_for_hold(&self) -> Result<(), FailedTurn> {
        if self.held.opens().await { Ok(()) } else { Err(FailedTurn::not_held()) }
    }

    async fn act(&self, end_by: Instant) -> Result<Outcome, FailedTurn> {
        let action = &self.served.action;
        let deadline = end_by.min(Instant::now() + self.served.timeout);
        let links = JobLinks { store: self.store.clone(), encryption_key: self.job.encryption_key.clone() };
        let turn = Turn {
            job: Arc::clone(&self.job),
            age: self.age,
            workspace: Arc::clone(&self.workspace),
            deadline,
            links: Arc::new(links),
            secret_keys: self.served.secrets.clone(),
            redactor: Arc::new(Redactor::named(self.served.secrets_of(&self.job))),
            learned: self.learned.clone(),
        };
        let mut acting = Acting::begin(self.job.continuation_token.is_some());
        let working = async {
            match &self.job.continuation_token {
                None => action.start_boxed(turn).await,
                Some(token) => action.resume_boxed(turn, token.expose_secret()).await,
            }
        };
        let result = timeout_at(deadline, working).await;
        acting.returned(result.as_ref().ok());
        drop(acting);
        match result {
            // A service that did not answer may have started the work.
            Ok(Err(failure))
                if failure.runs_on || failure.kind == FailureKind::SystemUnavailable && !action.wants_files_boxed() =>
            {
                Err(FailedTurn::unknown(failure))
            }
            Ok(result) => result.map_err(FailedTurn::over),
            Err(_) if deadline == end_by => Err(FailedTurn::out_of_time()),
            Err(_) => {
                let limit = self.served.timeout;
                let message = format!("the action took longer than its timeout of {limit:?} and was cancelled");
                Err(FailedTurn::cut_off(ACTION_TIMEOUT, message))
            }
        }
    }
}
