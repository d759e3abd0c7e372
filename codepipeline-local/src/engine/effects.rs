//! Effects: what has to happen outside the engine, and what came of it.

use super::state::ActionNumber;
use crate::types::ObjectRef;

/// What the shell must do outside. More kinds will come, so match with a last arm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Make the bucket if it does not exist.
    CreateBucket {
        /// The bucket's name.
        bucket: String,
    },
    /// Copy an S3 source's object to its artifact's place, and tell `Engine::source_finished`.
    CopySource {
        /// What to answer with.
        id: SourceId,
        /// The user's object.
        from: ObjectRef,
        /// The version to copy; the current one if `None`.
        version: Option<String>,
        /// The artifact's place.
        to: ObjectRef,
        /// The id of the artifact store's KMS key, which the copy is encrypted with.
        encryption_key: Option<String>,
    },
    /// See which revision of an S3 source's object is there, and tell `Engine::source_polled`.
    PollSource {
        /// What to answer with.
        id: PollId,
        /// The user's object.
        object: ObjectRef,
    },
    /// Invoke the function with [`job_event`](crate::api::job_event), without waiting for its answer.
    InvokeFunction {
        /// What the action's configuration names.
        function: String,
        /// The job's id.
        job: String,
    },
    /// Tell this to whoever listens, as EventBridge does.
    Event(serde_json::Value),
    /// See which of the objects are there, and tell `Engine::outputs_checked`.
    CheckOutputs {
        /// What to answer with.
        id: OutputsId,
        /// Where the action's output artifacts must be.
        places: Vec<ObjectRef>,
    },
}

/// Which outputs were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputsId(pub(super) ActionNumber);

/// Which copy was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(super) ActionNumber);

/// Which look at a source was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollId(u64);

impl From<u64> for PollId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// What an S3 source found.
#[derive(Clone, Debug, Default)]
pub struct SourceRevision {
    /// The object's version id, or its ETag where the bucket has no versions.
    pub revision: String,
    /// The object's ETag, for the output variable of this name; the revision if `None`.
    pub etag: Option<String>,
    /// The object's version id, for the output variable of this name.
    pub version_id: Option<String>,
    /// What the object's metadata say of this revision (`codepipeline-artifact-revision-summary`).
    pub summary: Option<String>,
}

/// Why an S3 source gave nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such bucket or object.
    #[error("not found: {0}")]
    NotFound(String),
    /// Something else, in words.
    #[error("{0}")]
    Other(String),
}
