//! From a claim to the result of the work: details, stage in, action, stage out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::Lifecycle;
use crate::actions::{Run, Served};
use crate::artifacts::{Limits, StagingError, Store};
use crate::job::{Artifact, Credentials, Failure, FailureKind, Job, Outcome};
use crate::queue::{Claim, Offer};
use crate::redact::Redactor;
use crate::workspace::Workspace;

/// A polled copy older than this is fetched again: the job waited for room, and its credentials began to age when it was
/// polled. The Jenkins plugin does so always, after credentials had expired in its queue.
const STALE: Duration = Duration::from_secs(5);

/// How long a cancelled action may take to notice.
const CANCELLING: Duration = Duration::from_secs(2);

/// What the work came to.
pub(super) struct Executed {
    pub(super) result: Result<Outcome, Failure>,
    /// Takes out of the report what must not show in it.
    pub(super) redactor: Redactor,
    /// The job's folder, to be removed.
    pub(super) workspace: Option<Arc<Workspace>>,
}

impl Executed {
    /// The end of work that panicked: with nothing to redact, since the message is ours.
    pub(super) fn panicked() -> Self {
        Self { result: Err(panicked()), redactor: Redactor::default(), workspace: None }
    }
}

/// Does the work of a claimed job, until `end_by` at the latest.
pub(super) async fn execute(
    lifecycle: &Lifecycle,
    claim: &Claim,
    offer: Offer,
    served: &Arc<Served>,
    end_by: Instant,
) -> Executed {
    let (job, credentials) = current(lifecycle, claim, offer, end_by).await;
    let redactor = redactor(&job, credentials.as_ref(), &served.secrets);
    let workspace = match Workspace::create(&lifecycle.work_folder, &job) {
        Ok(workspace) => Arc::new(workspace),
        Err(error) => {
            let message = format!("the job's folder could not be made: {error}");
            let result = Err(Failure::new(FailureKind::JobFailed, message));
            return Executed { result, redactor, workspace: None };
        }
    };
    let store = credentials.map(|credentials| lifecycle.stores.for_job(&credentials));
    let turn = Turn { job: Arc::new(job), workspace: Arc::clone(&workspace), store, served: Arc::clone(served) };
    let result = guarded(turn, lifecycle.unpacking, end_by).await;
    Executed { result, redactor, workspace: Some(workspace) }
}

/// The job as it is now: as polled, or fetched again if that copy is stale.
async fn current(lifecycle: &Lifecycle, claim: &Claim, offer: Offer, latest: Instant) -> (Job, Option<Credentials>) {
    if offer.polled_at.elapsed() < STALE {
        return (offer.job, offer.credentials);
    }
    match lifecycle.queue.details(claim, &offer.job.action_type, latest).await {
        Ok(details) => (details.job, details.credentials),
        Err(error) => {
            tracing::warn!(%error, "the job's details could not be fetched again; going on with the polled copy");
            (offer.job, offer.credentials)
        }
    }
}

fn redactor(job: &Job, credentials: Option<&Credentials>, secret_keys: &[String]) -> Redactor {
    use secrecy::ExposeSecret;
    let values = secret_keys.iter().filter_map(|key| job.configuration.get(key));
    let keys =
        credentials.into_iter().flat_map(|it| [it.secret_access_key.expose_secret(), it.session_token.expose_secret()]);
    Redactor::new(values.chain(keys))
}

/// All that one turn at a job needs.
struct Turn {
    job: Arc<Job>,
    workspace: Arc<Workspace>,
    store: Option<Store>,
    served: Arc<Served>,
}

/// Runs the turn in a task of its own, so that a panic or the deadline ends it and not the report.
async fn guarded(turn: Turn, unpacking: Limits, end_by: Instant) -> Result<Outcome, Failure> {
    let turn = Arc::new(turn);
    let mut task = tokio::spawn({
        let turn = Arc::clone(&turn);
        async move { turn.take(&unpacking, end_by).await }.in_current_span()
    });
    let result = match timeout_at(end_by, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) if error.is_panic() => Err(panicked()),
        Ok(Err(_)) => Err(Failure::new(FailureKind::JobFailed, "the action was cancelled")),
        Err(_) => {
            task.abort();
            if timeout(CANCELLING, task).await.is_err() {
                tracing::error!("the action ignores its cancellation");
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

fn panicked() -> Failure {
    Failure::new(FailureKind::JobFailed, "the action panicked; the worker's log says where")
}

impl Turn {
    async fn take(&self, unpacking: &Limits, end_by: Instant) -> Result<Outcome, Failure> {
        let files = self.served.action.wants_files_boxed();
        if files {
            self.stage_in(unpacking).await?;
        }
        let outcome = self.act(end_by).await?;
        if files && let Outcome::Finished(_) = outcome {
            self.stage_out().await?;
        }
        Ok(outcome)
    }

    async fn act(&self, end_by: Instant) -> Result<Outcome, Failure> {
        use secrecy::ExposeSecret;
        let action = &self.served.action;
        let deadline = end_by.min(Instant::now() + self.served.timeout);
        let run = Run { job: Arc::clone(&self.job), workspace: Arc::clone(&self.workspace), deadline };
        let working = async {
            match &self.job.continuation_token {
                None => action.start_boxed(run).await,
                Some(token) => action.resume_boxed(run, token.expose_secret()).await,
            }
        };
        timeout_at(deadline, working).await.unwrap_or_else(|_| {
            if deadline == end_by {
                return Err(out_of_time());
            }
            let limit = self.served.timeout;
            let message = format!("the action took longer than its timeout of {limit:?} and was cancelled");
            Err(Failure::new(FailureKind::JobFailed, message))
        })
    }

    /// One artifact after another: side by side they would need a multiple of the memory.
    async fn stage_in(&self, unpacking: &Limits) -> Result<(), Failure> {
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

    async fn stage_out(&self) -> Result<(), Failure> {
        for artifact in &self.job.outputs {
            let from = self.workspace.output(&artifact.name);
            let key = self.job.encryption_key.as_deref();
            let staged =
                self.store(artifact)?.stage_out(artifact, &from, key).await.map_err(|error| failure(&error))?;
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
        let name = &artifact.name;
        if artifact.bucket.is_empty() || artifact.key.is_empty() {
            let message = format!("the job names no S3 object for the artifact '{name}'");
            return Err(Failure::new(FailureKind::JobFailed, message));
        }
        self.store.as_ref().ok_or_else(|| {
            let message = format!("the job has the artifact '{name}' but came without credentials for it");
            Failure::new(FailureKind::PermissionError, message)
        })
    }
}

fn out_of_time() -> Failure {
    let message = "the invocation's deadline came before the work was done: give the function a longer timeout, \
                   or the action less to do";
    Failure::new(FailureKind::JobFailed, message)
}

fn failure(error: &StagingError) -> Failure {
    Failure::new(error.failure_kind(), error.to_string())
}
