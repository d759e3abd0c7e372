//! Effects: requests of the engine to the code around it, and the results of them.

use super::{state::ActionNumber, task::Task};
use crate::types::ObjectRef;

/// A request of the engine. More kinds may come, so a match needs a last arm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Create the bucket if it does not exist.
    CreateBucket {
        /// The bucket's name.
        bucket: String,
    },
    /// Copy an S3 source's object to its artifact's location, and call
    /// [`Engine::source_finished`](super::Engine::source_finished).
    CopySource {
        /// The id to pass back.
        id: SourceId,
        /// The user's object.
        from: ObjectRef,
        /// The version to copy; `None` copies the current version.
        version: Option<String>,
        /// The artifact's location.
        to: ObjectRef,
        /// The id of the artifact store's KMS key, which encrypts the copy.
        encryption_key: Option<String>,
    },
    /// Find the revision of an S3 source's object, and call [`Engine::source_polled`](super::Engine::source_polled).
    PollSource {
        /// The id to pass back.
        id: PollId,
        /// The user's object.
        object: ObjectRef,
    },
    /// Invoke the function with [`job_event`](crate::api::job_event), without waiting for a response.
    InvokeFunction {
        /// The function that the action's configuration names.
        function: String,
        /// The job's id.
        job: String,
    },
    /// Run the action, and call [`Engine::run_finished`](super::Engine::run_finished).
    RunAction {
        /// The id to pass back.
        id: RunId,
        /// The action.
        task: Box<Task>,
        /// The id of the artifact store's KMS key, which encrypts the output artifacts.
        encryption_key: Option<String>,
    },
    /// End the run, because its action timed out, was abandoned or was deleted. Its result is no longer wanted.
    EndRun {
        /// The id of the [`Effect::RunAction`].
        id: RunId,
    },
    /// Send this event to all subscribers, as EventBridge does.
    Event(serde_json::Value),
    /// Check which of the objects exist, and call [`Engine::outputs_checked`](super::Engine::outputs_checked).
    CheckOutputs {
        /// The id to pass back.
        id: OutputsId,
        /// The locations of the action's output artifacts.
        places: Vec<ObjectRef>,
    },
}

/// Identifies an [`Effect::CheckOutputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputsId(pub(super) ActionNumber);

/// Identifies an [`Effect::CopySource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(super) ActionNumber);

/// Identifies an [`Effect::RunAction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub(super) ActionNumber);

/// Identifies an [`Effect::PollSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollId(u64);

impl From<u64> for PollId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// A revision that an S3 source has found.
#[derive(Clone, Debug, Default)]
pub struct SourceRevision {
    /// The object's version id, or its ETag in a bucket without versioning.
    pub revision: String,
    /// The object's ETag, for the output variable `ETag`; `None` uses the revision.
    pub etag: Option<String>,
    /// The object's version id, for the output variable `VersionId`.
    pub version_id: Option<String>,
    /// The summary in the object's metadata (`codepipeline-artifact-revision-summary`).
    pub summary: Option<String>,
}

/// Why an S3 source failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// The bucket or object does not exist.
    #[error("not found: {0}")]
    NotFound(String),
    /// Any other reason.
    #[error("{0}")]
    Other(String),
}
