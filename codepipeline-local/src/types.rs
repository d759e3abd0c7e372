//! The few types that both the engine and the S3 side know.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch. The engine is told the time; it never asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The moment `delay` after this one.
    #[must_use]
    pub fn after(self, delay: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Epoch seconds with a fraction, as CodePipeline's JSON writes them.
    pub fn as_epoch_seconds(self) -> f64 {
        // Exact up to the year 287396: an f64 holds every integer below 2^53.
        self.0 as f64 / 1000.0
    }
}

/// An S3 object's place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct ObjectRef {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// What one job's temporary credentials allow on the S3 side. Holds secrets: no `Debug`.
#[derive(Clone, Deserialize, Serialize)]
pub struct Grant {
    /// What requests must be signed with.
    pub secret_access_key: String,
    /// What `x-amz-security-token` must say.
    pub session_token: String,
    /// From this moment on S3 answers `ExpiredToken`.
    pub expires: Timestamp,
    /// The job's input artifacts.
    pub readable: Vec<ObjectRef>,
    /// The job's output artifacts.
    pub writable: Vec<ObjectRef>,
    /// The id of the artifact store's KMS key: uploads must name it. `None`: they may name any key, or none.
    pub encryption_key: Option<String>,
}

/// What the S3 side asks the CodePipeline side. Implemented over the engine; tests may answer from a table.
pub trait Permissions: Send + Sync + 'static {
    /// The grant behind a temporary access key id; `None` for a key that belongs to no job (an ordinary user's).
    fn grant(&self, access_key_id: &str) -> Option<Grant>;

    /// Whether the bucket is some pipeline's artifact store: uploads there must say `aws:kms`, as the bucket policy of a
    /// console-made artifact bucket demands (CodePipeline User Guide, "S3-artifact-encryption").
    fn is_artifact_store(&self, bucket: &str) -> bool;
}
