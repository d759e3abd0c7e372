//! Stages the artifacts of one job in and out.

use std::time::Duration;

use tokio::time::Instant;

use crate::actions::Served;
use crate::artifacts::{StagingError, Store, UnpackLimits};
use crate::job::{Artifact, Failure, FailureCode, FailureKind, Finished, Job};
use crate::metrics::JobMeter;
use crate::telemetry::milliseconds;
use crate::workspace::Workspace;

const UNKNOWN_OUTPUT_ARTIFACT: FailureCode = FailureCode::new("UnknownOutputArtifact");
const ARTIFACT_WITHOUT_OBJECT: FailureCode = FailureCode::new("ArtifactWithoutObject");
const ARTIFACT_WITHOUT_CREDENTIALS: FailureCode = FailureCode::new("ArtifactWithoutCredentials");
const STAGING_TIMEOUT: FailureCode = FailureCode::new("StagingTimeout");

/// How much of the time for staging is for staging out: this, or a third if that is less. The SDK retries an upload within it,
/// and its pauses and a slow response take some seconds.
const STAGING_OUT: Duration = Duration::from_secs(20);

/// The parts of a job that staging needs.
pub(super) struct Staging<'a> {
    pub(super) job: &'a Job,
    pub(super) workspace: &'a Workspace,
    pub(super) store: Option<&'a Store>,
    pub(super) limits: &'a UnpackLimits,
    pub(super) meter: &'a JobMeter,
}

impl Staging<'_> {
    /// Stages the input artifacts in, one after the other: all at once would need several times the memory.
    pub(super) async fn stage_in(&self) -> Result<(), Failure> {
        for artifact in &self.job.inputs {
            let began = Instant::now();
            let into = self.workspace.input(&artifact.name);
            let store = store_of(self.store, artifact)?;
            let staged = store.stage_in(artifact, &into, self.limits).await.map_err(|error| failure(&error))?;
            self.meter.add(|it| &mut it.staging_in_bytes, staged.bytes);
            tracing::info!(
                artifact = artifact.name,
                bytes = staged.bytes,
                entries = staged.entries,
                durationMs = milliseconds(began.elapsed()),
                "staged in"
            );
        }
        Ok(())
    }

    /// Copies each output that the action names. Packs each other output from its folder if the action `wants_files`. An action
    /// without files writes its other outputs itself.
    pub(super) async fn stage_out(&self, finished: &Finished, wants_files: bool) -> Result<(), Failure> {
        let Job { outputs, encryption_key, .. } = self.job;
        let is_output = |name: &String| outputs.iter().any(|artifact| artifact.name == *name);
        if finished.outputs.keys().any(|name| !is_output(name)) {
            let message =
                "the action returned an object for an artifact that the pipeline does not declare as its output";
            return Err(Failure::new(FailureKind::JobFailed, UNKNOWN_OUTPUT_ARTIFACT, message));
        }
        let key = encryption_key.as_deref();
        for artifact in outputs {
            let began = Instant::now();
            let staged = match finished.outputs.get(&artifact.name) {
                Some(place) => store_of(self.store, artifact)?.copy_out(place, artifact, key).await,
                None if wants_files => {
                    let from = self.workspace.output(&artifact.name);
                    store_of(self.store, artifact)?.stage_out(artifact, &from, key, self.limits).await
                }
                None => continue,
            };
            let staged = staged.map_err(|error| failure(&error))?;
            self.meter.add(|it| &mut it.staging_out_bytes, staged.bytes);
            tracing::info!(
                artifact = artifact.name,
                bytes = staged.bytes,
                entries = staged.entries,
                durationMs = milliseconds(began.elapsed()),
                "staged out"
            );
        }
        Ok(())
    }
}

/// The store for the artifact. Fails if the job does not name its object, or has no credentials for it.
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

/// The job's failure after a staging error.
pub(super) fn failure(error: &StagingError) -> Failure {
    Failure::new(error.failure_kind(), error.failure_code(), error.to_string())
}

/// The failure of a job whose inputs were not staged in within `limit`.
pub(super) fn staging_took_too_long(limit: Duration) -> Failure {
    let message = format!(
        "staging in the input artifacts took longer than {limit:.0?}; the action and its outputs need the rest of the \
         invocation: raise STAGING_TIMEOUT and the function's timeout, or make the artifacts smaller"
    );
    Failure::new(FailureKind::JobFailed, STAGING_TIMEOUT, message)
}

/// How long staging in may take in a turn that has `left`: all of it, less the action's own time and the time for staging out.
/// So a slow download fails as a slow download.
///
/// A turn may begin too late for all three, because an invoked job is never left to another worker. Then each gets its
/// proportional share of the time.
pub(super) fn time_to_stage_in(left: Duration, served: &Served) -> Duration {
    let Served { timeout, staging, .. } = *served;
    // The worker keeps no time free for staging, so only the turn's end limits it.
    if staging.is_zero() {
        return left;
    }
    let (needed, afterwards) = (timeout + staging, timeout + STAGING_OUT.min(staging / 3));
    if left >= needed {
        return left - afterwards;
    }
    (needed - afterwards).mul_f64(left.as_secs_f64() / needed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{Action, Turn};
    use crate::job::{ActionTypeId, Outcome};

    struct Never;

    impl Action for Never {
        async fn start(&self, _: Turn) -> Result<Outcome, Failure> {
            std::future::pending().await
        }
    }

    /// Seconds for staging in, given the seconds that are left, the action's timeout and the time for staging.
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
