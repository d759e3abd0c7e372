//! Types that the engine and the S3 side share.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The rule for the name of a bucket (S3 User Guide, "General purpose bucket naming rules").
pub(crate) const BUCKET_RULE: &str = "it must have 3 to 63 characters of [a-z0-9.-], begin and end with a letter or digit, and \
                                      neither have two periods side by side nor look like an IP address";

/// Milliseconds since the Unix epoch. The engine gets the time as an argument and never reads a clock.
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

/// The bucket and key of an S3 object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct ObjectRef {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// The S3 permissions of one job's temporary credentials. Not `Debug`, because it holds secrets.
#[derive(Clone, Deserialize, Serialize)]
pub struct Grant {
    /// The key that must sign requests.
    pub secret_access_key: String,
    /// The required value of `x-amz-security-token`.
    pub session_token: String,
    /// From this moment on S3 answers `ExpiredToken`.
    pub expires: Timestamp,
    /// The job's input artifacts.
    pub readable: Vec<ObjectRef>,
    /// The job's output artifacts.
    pub writable: Vec<ObjectRef>,
    /// The id of the artifact store's KMS key, which uploads must name. With `None`, they may name any key or omit it.
    pub encryption_key: Option<String>,
}

/// What S3 knows about an access key that belongs to no job. Not `Debug`, because it holds a secret.
pub enum User {
    /// Any secret may sign.
    Anyone,
    /// This secret must sign.
    Known(SecretString),
    /// The emulator has no such key.
    Unknown,
}

/// Questions of the S3 side to the CodePipeline side. The engine answers them; tests may answer from a table.
pub trait Permissions: Send + Sync + 'static {
    /// The grant of a temporary access key id. `None` for the key of an ordinary user, which belongs to no job.
    fn grant(&self, access_key_id: &str) -> Option<Grant>;

    /// The user of an access key id that belongs to no job.
    fn user(&self, _access_key_id: &str) -> User {
        User::Anyone
    }

    /// Whether the bucket is a pipeline's artifact store. Uploads there must use `aws:kms`, as the policy of a bucket that the console
    /// creates demands (CodePipeline User Guide, "S3-artifact-encryption").
    fn is_artifact_store(&self, bucket: &str) -> bool;
}
