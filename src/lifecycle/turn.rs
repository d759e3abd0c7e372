//! One turn at a job: stage in, action, stage out, in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::links::JobLinks;
use super::swallow;
use crate::actions::{Served, Turn};
use crate::artifacts::{StagingError, Store, UnpackLimits};
use crate::job::{Artifact, Failure, FailureCode, FailureKind, Finished, Job, Outcome};
use crate::workspace::Workspace;

const ACTION_PANICKED: FailureCode = FailureCode::new("ActionPanicked");
const ACTION_CANCELLED: FailureCode = FailureCode::new("ActionCancelled");
const ACTION_TIMEOUT: FailureCode = FailureCode::new("ActionTimeout");
const INVOCATION_DEADLINE: FailureCode = FailureCode::new("InvocationDeadline");
const UNKNOWN_OUTPUT_ARTIFACT: FailureCode = FailureCode::new("UnknownOutputArtifact");
const ARTIFACT_WITHOUT_OBJECT: FailureCode = FailureCode::new("ArtifactWithoutObject");
const ARTIFACT_WITHOUT_CREDENTIALS: FailureCode = FailureCode::new("ArtifactWithoutCredentials");
const STAGING_TIMEOUT: FailureCode = FailureCode::new("StagingTimeout");

/// Of the time for staging, staging out has this much, or a third if that is less. The SDK tries an upload again within it:
/// the pauses and a slow answer take some seconds.
const STAGING_OUT: Duration = Duration::from_secs(20);

/// How long a cancelled action may take to notice.
const CANCELLING: Duration = Duration::from_secs(2);

/// All that one turn at a job needs.
pub(super) struct TurnTask {
    pub(super) job: Arc<Job>,
    /// How long ago the first job of this run of the action began.
    pub(super) age: Duration,
    pub(super) workspace: Arc<Workspace>,
    pub(super) store: Option<Arc<Store>>,
    pub(super) served: Arc<Served>,
}

/// A turn that brought no outcome.
pub(super) struct Ended {
    pub(super) failure: Failure,
    pub(super) work: Work,
}

/// What became of the work outside when a turn ended without an outcome.
pub(super) enum Work {
    /// The action was asked and said what it had to say.
    Over,
    /// The action was not reached: what an earlier job left running still runs.
    Untouched,
    /// The action was cut off in the middle of whatever it did, or whom it asked did not answer.
    Unknown,
}

impl Ended {
    fn over(failure: Failure) -> Self {
        Self { failure, work: Work::Over }
    }

    pub(super) fn untouched(failure: Failure) -> Self {
        Self { failure, work: Work::Untouched }
    }

    fn cut_off(code: FailureCode, message: impl Into<String>) -> Self {
        Self { failure: Failure::new(FailureKind::JobFailed, code, message), work: Work::Unknown }
    }
}

pub(super) fn panicked() -> Failure {
    Failure::new(FailureKind::JobFailed, ACTION_PANICKED, "the action panicked; the worker's log says where")
}

impl TurnTask {
    /// Runs the turn in a task of its own, so that a panic or the deadline ends it and not the report.
    pub(super) async fn guarded(self, unpacking: UnpackLimits, end_by: Instant) -> Result<Outcome, Ended> {
        let turn = Arc::new(self);
        // A set of one: its task is aborted when the invocation is dropped.
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
                    Ended { failure: panicked(), work: Work::Unknown }
                }
                Err(_) => Ended::cut_off(ACTION_CANCELLED, "the action was cancelled"),
            }),
            Ok(None) => Err(Ended::cut_off(ACTION_CANCELLED, "the action was cancelled")),
            Err(_) => {
                task.abort_all();
                match timeout(CANCELLING, task.join_next()).await {
                    Err(_) => tracing::error!("the action ignores its cancellation"),
                    Ok(Some(Err(error))) => error.try_into_panic().map_or((), swallow),
                    Ok(_) => {}
                }
                Err(out_of_time())
            }
        };
        if let Some(store) = &turn.store
            && timeout(CANCELLING, store.finished()).await.is_err()
        {
            tracing::error!("staging ignores its cancellation");
        }
        result
    }

    async fn take(&self, unpacking: &UnpackLimits, end_by: Instant) -> Result<Outcome, Ended> {
        let files = self.served.action.wants_files_boxed();
        if files {
            let now = Instant::now();
            let limit = time_to_stage_in(end_by.saturating_duration_since(now), &self.served);
            let staged = timeout_at(now + limit, self.stage_in(unpacking)).await;
            staged.unwrap_or_else(|_| Err(staging_took_too_long(limit))).map_err(Ended::untouched)?;
        }
        let outcome = self.act(end_by).await?;
        if let Outcome::Finished(finished) = &outcome {
            self.stage_out(finished, files, unpacking).await.map_err(|failure| {
                let external_execution_id = finished.external_execution_id.clone();
                Ended::over(Failure { external_execution_id, ..failure })
            })?;
        }
        Ok(outcome)
    }

    async fn act(&self, end_by: Instant) -> Result<Outcome, Ended> {
        let action = &self.served.action;
        let deadline = end_by.min(Instant::now() + self.served.timeout);
        let links = JobLinks { store: self.store.clone(), encryption_key: self.job.encryption_key.clone() };
        let turn = Turn {
            job: Arc::clone(&self.job),
            age: self.age,
            workspace: Arc::clone(&self.workspace),
            deadline,
            links: Arc::new(links),
        };
        let working = async {
            match &self.job.continuation_token {
                None => action.start_boxed(turn).await,
                Some(token) => action.resume_boxed(turn, token.expose_secret()).await,
            }
        };
        match timeout_at(deadline, working).await {
            // A service that was asked and did not answer may have begun the work.
            Ok(Err(failure))
                if failure.runs_on || failure.kind == FailureKind::SystemUnavailable && !action.wants_files_boxed() =>
            {
                Err(Ended { failure, work: Work::Unknown })
            }
            Ok(result) => result.map_err(Ended::over),
            Err(_) if deadline == end_by => Err(out_of_time()),
            Err(_) => {
                let limit = self.served.timeout;
                Err(Ended::cut_off(
                    ACTION_TIMEOUT,
                    format!("the action took longer than its timeout of {limit:?} and was cancelled"),
                ))
            }
        }
    }

    /// One artifact after another: side by side they would need a multiple of the memory.
    async fn stage_in(&self, unpacking: &UnpackLimits) -> Result<(), Failure> {
        for artifact in &self.job.inputs {
            let into = self.workspace.input(&artifact.name);
            let staged =
                self.store(artifact)?.stage_in(artifact, &into, unpacking).await.map_err(|error| failure(&error))?;
            tracing::info!(
                artifact.name,
                artifact.bytes = staged.bytes,
                artifact.entries = staged.entries,
                "staged in"
            );
        }
        Ok(())
    }

    /// Copies the outputs that the action names, and packs the others, if it works on files. An action that works on none
    /// and names none has seen to its outputs itself.
    async fn stage_out(&self, finished: &Finished, files: bool, limits: &UnpackLimits) -> Result<(), Failure> {
        let known = |name: &String| self.job.outputs.iter().any(|artifact| artifact.name == *name);
        if finished.outputs.keys().any(|name| !known(name)) {
            let message = "the action gave a result for an artifact that is none of its output artifacts";
            return Err(Failure::new(FailureKind::JobFailed, UNKNOWN_OUTPUT_ARTIFACT, message));
        }
        let key = self.job.encryption_key.as_deref();
        for artifact in &self.job.outputs {
            let staged = match finished.outputs.get(&artifact.name) {
                Some(place) => self.store(artifact)?.copy_out(place, artifact, key).await,
                None if files => {
                    let from = self.workspace.output(&artifact.name);
                    self.store(artifact)?.stage_out(artifact, &from, key, limits).await
                }
                None => continue,
            };
            let staged = staged.map_err(|error| failure(&error))?;
            tracing::info!(
                artifact.name,
                artifact.bytes = staged.bytes,
                artifact.entries = staged.entries,
                "staged out"
            );
        }
        Ok(())
    }

    fn store(&self, artifact: &Artifact) -> Result<&Store, Failure> {
        store_of(self.store.as_deref(), artifact)
    }
}

/// The store to stage the artifact with, if the job says where it is and may be read or written.
pub(super) fn store_of<'a>(store: Option<&'a Store>, artifact: &Artifact) -> Result<&'a Store, Failure> {
    let name = &artifact.name;
    if artifact.bucket.is_empty() || artifact.key.is_empty() {
        let message = format!("the job names no S3 object for the artifact '{name}'");
        return Err(Failure::new(FailureKind::JobFailed, ARTIFACT_WITHOUT_OBJECT, message));
    }
    store.ok_or_else(|| {
        let message = format!("the job has the artifact '{name}' but came without credentials for it");
        Failure::new(FailureKind::PermissionError, ARTIFACT_WITHOUT_CREDENTIALS, message)
    })
}

/// How long staging in may take in a turn that has `left`. All of it but the action's own time and the time for staging out,
/// so that a slow download fails as what it is. A turn may begin with too little time for all three, since a delivered job is
/// never left to another worker. Then staging in has its share of what is left, in proportion.
fn time_to_stage_in(left: Duration, served: &Served) -> Duration {
    let Served { timeout, staging, .. } = *served;
    // No worker keeps time free for staging: then the whole turn is the only limit.
    if staging.is_zero() {
        return left;
    }
    let (needed, afterwards) = (timeout + staging, timeout + STAGING_OUT.min(staging / 3));
    if left >= needed {
        return left - afterwards;
    }
    (needed - afterwards).mul_f64(left.as_secs_f64() / needed.as_secs_f64())
}

fn staging_took_too_long(limit: Duration) -> Failure {
    let message = format!(
        "staging in the input artifacts took longer than {limit:.0?}; the rest of the invocation's time is for the action and its \
         outputs: raise STAGING_TIMEOUT and the function's timeout, or make the artifacts smaller"
    );
    Failure::new(FailureKind::JobFailed, STAGING_TIMEOUT, message)
}

fn out_of_time() -> Ended {
    let message = "the invocation's deadline came before the work was done: give the function a longer timeout, \
                   or the action less to do";
    Ended::cut_off(INVOCATION_DEADLINE, message)
}

pub(super) fn failure(error: &StagingError) -> Failure {
    Failure::new(error.failure_kind(), error.failure_code(), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Action, Turn};
    use crate::job::ActionTypeId;

    struct Never;

    impl Action for Never {
        async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
            std::future::pending().await
        }
    }

    /// Seconds for staging in, given those that are left, the action's timeout and the time for staging.
    fn staging_in(left: u64, timeout: u64, staging: u64) -> u64 {
        let [category, owner, provider, version] = ["Test", "Custom", "Shell", "1"].map(str::to_owned);
        let action_type = ActionTypeId { category, owner, provider, version };
        let served = Served::new(action_type, Duration::from_secs(timeout), Never);
        let served = Served { staging: Duration::from_secs(staging), ..served };
        time_to_stage_in(Duration::from_secs(left), &served).as_secs()
    }

    #[test]
    fn staging_in_leaves_time_for_the_action_and_its_outputs() {
        assert_eq!(staging_in(880, 607, 60), 880 - 607 - 20);
        assert_eq!(staging_in(667, 607, 60), 40);
        assert_eq!(staging_in(880, 607, 30), 880 - 607 - 10);
    }

    #[test]
    fn a_late_turn_divides_its_time_in_proportion() {
        assert_eq!(staging_in(333, 606, 60), 20);
        assert_eq!(staging_in(0, 607, 60), 0);
        assert_eq!(staging_in(60, 607, 0), 60);
    }
}
