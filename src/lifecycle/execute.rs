//! From a claim to the result of the work: details, stage in, action, stage out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::continuation::ActionRun;
use super::fresh::{FromDetails, Issued};
use super::links::JobLinks;
use super::{Known, Lifecycle, swallow};
use crate::actions::{Abandoned, Run, Served};
use crate::artifacts::{Limits, StagingError, Store};
use crate::job::{Artifact, Continuation, Failure, FailureKind, Finished, Job, Outcome};
use crate::queue::{Claim, Details};
use crate::redact::Redactor;
use crate::workspace::Workspace;

/// A polled copy older than this is fetched again: the job waited for room, and its credentials began to age when it was
/// polled. The Jenkins plugin does so always, after credentials had expired in its queue.
const STALE: Duration = Duration::from_secs(5);

/// How long a cancelled action may take to notice.
const CANCELLING: Duration = Duration::from_secs(2);

/// Shorter secrets occur in tokens by chance (`web`, `eu-1`), and a job must not fail for that.
const SECRET_IN_TOKEN: usize = 8;

/// What the work came to.
pub(super) struct Executed {
    pub(super) result: Result<Outcome, Failure>,
    /// Takes out of the report what must not show in it.
    pub(super) redactor: Redactor,
    /// The job's folder, to be removed.
    pub(super) workspace: Option<Arc<Workspace>>,
    /// Work that may be running outside, for the jobs to come. If none comes, nobody waits for it and it is to be stopped.
    pub(super) running: Option<Abandoned>,
}

impl Executed {
    /// The end of work that panicked: with nothing to redact, since the message is ours.
    pub(super) fn panicked() -> Self {
        Self::failed(panicked(), None)
    }

    /// The end of work of which no more is known.
    pub(super) fn failed(failure: Failure, running: Option<Abandoned>) -> Self {
        Self { result: Err(failure), redactor: Redactor::default(), workspace: None, running }
    }
}

/// Does the work of a claimed job, until `end_by` at the latest.
pub(super) async fn execute(
    lifecycle: &Lifecycle,
    claim: &Claim,
    known: Known,
    served: &Arc<Served>,
    end_by: Instant,
) -> Executed {
    let Known { details, since } = current(lifecycle, claim, known, end_by).await;
    let Details { mut job, credentials } = details;
    let issued = Issued::default();
    credentials.iter().cloned().for_each(|credentials| issued.add(credentials));
    let run = match begun(&mut job, (lifecycle.wall_clock)()) {
        Ok(run) => run,
        Err(failure) => {
            let redactor = redactor(&job, &issued, &served.secrets);
            return Executed { result: Err(failure), redactor, workspace: None, running: None };
        }
    };
    let job = Arc::new(job);
    let (ended, workspace) = match Workspace::create(&lifecycle.work_folder, &job) {
        Err(error) => {
            let message = format!("the job's folder could not be made: {error}");
            (Err(Ended::untouched(Failure::new(FailureKind::JobFailed, message))), None)
        }
        Ok(workspace) => {
            let workspace = Arc::new(workspace);
            let store = credentials.map(|credentials| {
                let action_type = job.action_type.clone();
                let (queue, key) = (lifecycle.queue.clone(), claim.key().clone());
                let fresh = FromDetails { queue, key, action_type, end_by, issued: issued.clone() };
                Arc::new(lifecycle.stores.for_job(&credentials, since, Arc::new(fresh)))
            });
            let (turn_workspace, served) = (Arc::clone(&workspace), Arc::clone(served));
            let turn = Turn { job: Arc::clone(&job), workspace: turn_workspace, store, served };
            (guarded(turn, lifecycle.unpacking, end_by).await, Some(workspace))
        }
    };
    let redactor = redactor(&job, &issued, &served.secrets);
    let running = |token| Abandoned { execution_id: run.execution_id.clone(), token };
    match ended {
        Ok(Outcome::Continue(going_on)) => {
            let running = Some(running(Some(going_on.token.clone())));
            let result = continued(going_on, &run, served, (lifecycle.wall_clock)());
            let result = result.and_then(|going_on| without_secret(going_on, &job, &issued, &served.secrets));
            Executed { result, redactor, workspace, running }
        }
        Ok(finished @ Outcome::Finished(_)) => Executed { result: Ok(finished), redactor, workspace, running: None },
        Err(Ended { failure, work }) => {
            let token = job.continuation_token.as_ref().map(|token| token.expose_secret().to_owned());
            let running = match work {
                Work::Over => None,
                Work::Untouched => token.map(|token| running(Some(token))),
                Work::Unknown => Some(running(token)),
            };
            Executed { result: Err(failure), redactor, workspace, running }
        }
    }
}

/// The run of the action that the job belongs to. The job gets its execution id, so that an action finds the same one in
/// all its jobs, and the action's own token in the place of the envelope.
fn begun(job: &mut Job, now: SystemTime) -> Result<ActionRun, Failure> {
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

/// The action's continuation as CodePipeline gets it, unless the action has had its time.
fn continued(going_on: Continuation, run: &ActionRun, served: &Served, now: SystemTime) -> Result<Outcome, Failure> {
    if let Some(limit) = served.overall_timeout.filter(|limit| run.age(now) >= *limit) {
        let message = format!(
            "the action was not done after {} s, its jobs together; its limit is {} s (timeoutSeconds), so its work was stopped",
            run.age(now).as_secs(),
            limit.as_secs()
        );
        let external_execution_id = going_on.external_execution_id;
        return Err(Failure { external_execution_id, ..Failure::new(FailureKind::JobFailed, message) });
    }
    match run.seal(&served.action_type, &going_on.token) {
        Ok(token) => Ok(Outcome::Continue(Continuation { token, ..going_on })),
        Err(failure) => Err(Failure { external_execution_id: going_on.external_execution_id, ..failure }),
    }
}

/// The job as it is now: as it came, or fetched again if that copy is stale.
async fn current(lifecycle: &Lifecycle, claim: &Claim, known: Known, latest: Instant) -> Known {
    if known.since.elapsed() < STALE {
        return known;
    }
    let since = Instant::now();
    match lifecycle.queue.details(claim.key(), &known.details.job.action_type, latest).await {
        Ok(details) => Known { details, since },
        Err(error) => {
            tracing::warn!(%error, "the job's details could not be fetched again; going on with the copy that came");
            known
        }
    }
}

/// What must not show in the job's report: the values of its secret keys, and every credential that it has got.
fn secrets(job: &Job, issued: &Issued, secret_keys: &[String]) -> Vec<SecretString> {
    let values = secret_keys.iter().filter_map(|key| job.configuration.get(key)).map(SecretString::from);
    let keys = issued.all().into_iter().flat_map(|it| [it.secret_access_key, it.session_token]);
    values.chain(keys).collect()
}

fn redactor(job: &Job, issued: &Issued, secret_keys: &[String]) -> Redactor {
    Redactor::new(secrets(job, issued, secret_keys).iter().map(ExposeSecret::expose_secret))
}

/// Refuses a continuation whose token holds a secret: CodePipeline keeps the token as it is and hands it to whoever may poll for
/// the action type or ask for a job's details; the ledger may hold it, too. It can't be masked, since the action needs it as it was.
fn without_secret(going_on: Outcome, job: &Job, issued: &Issued, secret_keys: &[String]) -> Result<Outcome, Failure> {
    let long = secrets(job, issued, secret_keys);
    let long = long.iter().map(ExposeSecret::expose_secret).filter(|it| it.chars().count() >= SECRET_IN_TOKEN);
    match going_on {
        Outcome::Continue(Continuation { token, external_execution_id, .. })
            if Redactor::new(long).finds_in(&token) =>
        {
            let message = "the action's continuation token holds a secret value of its configuration or of the job's \
                           credentials, which CodePipeline would store; it was not handed over, and the work was stopped";
            Err(Failure { external_execution_id, ..Failure::new(FailureKind::JobFailed, message) })
        }
        harmless => Ok(harmless),
    }
}

/// All that one turn at a job needs.
struct Turn {
    job: Arc<Job>,
    workspace: Arc<Workspace>,
    store: Option<Arc<Store>>,
    served: Arc<Served>,
}

/// A turn that brought no outcome.
struct Ended {
    failure: Failure,
    work: Work,
}

/// What became of the work outside when a turn ended without an outcome.
enum Work {
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

    fn untouched(failure: Failure) -> Self {
        Self { failure, work: Work::Untouched }
    }

    fn cut_off(message: impl Into<String>) -> Self {
        Self { failure: Failure::new(FailureKind::JobFailed, message), work: Work::Unknown }
    }
}

/// Runs the turn in a task of its own, so that a panic or the deadline ends it and not the report.
async fn guarded(turn: Turn, unpacking: Limits, end_by: Instant) -> Result<Outcome, Ended> {
    let turn = Arc::new(turn);
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
            Err(_) => Ended::cut_off("the action was cancelled"),
        }),
        Ok(None) => Err(Ended::cut_off("the action was cancelled")),
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

pub(super) fn panicked() -> Failure {
    Failure::new(FailureKind::JobFailed, "the action panicked; the worker's log says where")
}

impl Turn {
    async fn take(&self, unpacking: &Limits, end_by: Instant) -> Result<Outcome, Ended> {
        let files = self.served.action.wants_files_boxed();
        if files {
            self.stage_in(unpacking).await.map_err(Ended::untouched)?;
        }
        let outcome = self.act(end_by).await?;
        if let Outcome::Finished(finished) = &outcome {
            self.stage_out(finished, files).await.map_err(|failure| {
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
        let run = Run {
            job: Arc::clone(&self.job),
            workspace: Arc::clone(&self.workspace),
            deadline,
            links: Arc::new(links),
        };
        let working = async {
            match &self.job.continuation_token {
                None => action.start_boxed(run).await,
                Some(token) => action.resume_boxed(run, token.expose_secret()).await,
            }
        };
        match timeout_at(deadline, working).await {
            // Whoever was asked and could not answer may have begun all the same.
            Ok(Err(failure)) if failure.kind == FailureKind::SystemUnavailable && !action.wants_files_boxed() => {
                Err(Ended { failure, work: Work::Unknown })
            }
            Ok(result) => result.map_err(Ended::over),
            Err(_) if deadline == end_by => Err(out_of_time()),
            Err(_) => {
                let limit = self.served.timeout;
                Err(Ended::cut_off(format!("the action took longer than its timeout of {limit:?} and was cancelled")))
            }
        }
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

    /// Copies the outputs that the action names, and packs the others, if it works on files. An action that works on none
    /// and names none has seen to its outputs itself.
    async fn stage_out(&self, finished: &Finished, files: bool) -> Result<(), Failure> {
        let known = |name: &String| self.job.outputs.iter().any(|artifact| artifact.name == *name);
        if finished.outputs.keys().any(|name| !known(name)) {
            let message = "the action gave a result for an artifact that is none of its output artifacts";
            return Err(Failure::new(FailureKind::JobFailed, message));
        }
        let key = self.job.encryption_key.as_deref();
        for artifact in &self.job.outputs {
            let staged = match finished.outputs.get(&artifact.name) {
                Some(place) => self.store(artifact)?.copy_out(place, artifact, key).await,
                None if files => {
                    let from = self.workspace.output(&artifact.name);
                    self.store(artifact)?.stage_out(artifact, &from, key).await
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
        return Err(Failure::new(FailureKind::JobFailed, message));
    }
    store.ok_or_else(|| {
        let message = format!("the job has the artifact '{name}' but came without credentials for it");
        Failure::new(FailureKind::PermissionError, message)
    })
}

fn out_of_time() -> Ended {
    let message = "the invocation's deadline came before the work was done: give the function a longer timeout, \
                   or the action less to do";
    Ended::cut_off(message)
}

pub(super) fn failure(error: &StagingError) -> Failure {
    Failure::new(error.failure_kind(), error.to_string())
}
