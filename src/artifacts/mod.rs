//! Artifacts: an S3 object becomes a folder (stage in), a folder becomes an S3 object (stage out).
//!
//! ```text
//! stage in:   download (ranged GETs) ─▶ lane (asked for ahead) ─▶ content (which kind) ─▶ unpack ─▶ jail (the folder)
//! stage out:  pack (zip as a stream) ─▶ upload (parts, multipart, SSE-KMS)
//! copy out:   download ─▶ lane ─▶ upload, for results that are in S3 already
//! ```
//!
//! Both stream: nothing is copied to disk on the way, and memory holds a fixed number of ranges or parts, whatever the
//! object's size. Unpacking and packing run on threads of their own, which ask at every chunk whether they should go on.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::job::Artifact;
use caller::Caller;
use credentials::OwnClient;
use download::S3Object;
use lane::Source;
use stop::Stop;
use tasks::Tasks;
use upload::Destination;

mod caller;
mod content;
mod copy;
mod credentials;
mod download;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod jail;
mod lane;
mod limits;
mod links;
mod names;
mod pack;
mod presign;
mod renewal;
mod reply;
mod stop;
mod tasks;
mod timeouts;
mod unpack;
mod upload;

pub use credentials::Stores;
pub use error::{Problem, StagingError};
pub use limits::{Counted, UnpackLimits};
pub use presign::Presigned;
pub use renewal::Renew;
pub use reply::Whose;

/// What was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Bytes of file content that were written, those of replaced files included.
    pub bytes: u64,
    /// Files, folders and links in the folder.
    pub entries: u64,
}

const ZIP: &str = "application/zip";

/// One job's way to its artifacts, with that job's credentials.
///
/// The futures of [`Store::stage_in`], [`Store::stage_out`] and [`Store::copy_out`] may be dropped at any time: the threads behind them notice
/// at their next chunk. Await [`Store::finished`] before the job's folder is removed, whether staging ended or was dropped.
pub struct Store {
    caller: Caller,
    /// With the function's own credentials, for objects that are no artifacts.
    own: OwnClient,
    tasks: Tasks,
}

impl Store {
    fn new(caller: Caller, own: OwnClient) -> Self {
        Self { caller, own, tasks: Tasks::default() }
    }

    /// Unpacks the artifact's object into the folder `into`, which exists and is empty. An object that is no zip, tar or
    /// tar.gz becomes one file there, named like the artifact.
    ///
    /// # Errors
    /// When the object can't be read, is damaged or hostile, or is over a limit. The folder may hold a part of it then,
    /// but nothing goes on writing.
    pub async fn stage_in(
        &self,
        artifact: &Artifact,
        into: &Path,
        limits: &UnpackLimits,
    ) -> Result<Staged, StagingError> {
        let staged = self.unpack(artifact, into, *limits).await;
        staged.map_err(|problem| StagingError::new(artifact, problem))
    }

    async fn unpack(&self, artifact: &Artifact, into: &Path, limits: UnpackLimits) -> Result<Staged, Problem> {
        let (object, head) = S3Object::open(self.caller.clone(), artifact).await?;
        let stop = Stop::new();
        let _guard = stop.on_drop();
        let source = Source { object: Arc::new(object), head, runtime: Handle::current(), stop };
        let (name, into) = (artifact.name.clone(), into.to_owned());
        outcome(self.tasks.spawn_blocking(move || unpack::unpack(&source, &name, &into, limits))).await
    }

    /// Uploads the folder `from` as a zip archive to exactly the artifact's bucket and key, encrypted with KMS: with the
    /// key `encryption_key` (id, ARN or alias ARN), or with the account's `aws/s3` key.
    ///
    /// # Errors
    /// When the folder has a name that is not UTF-8, is over a limit or can't be read, or the upload fails. There is no
    /// object then, or still the one from before.
    pub async fn stage_out(
        &self,
        artifact: &Artifact,
        from: &Path,
        encryption_key: Option<&str>,
        limits: &UnpackLimits,
    ) -> Result<Staged, StagingError> {
        let staged = self.pack(artifact, from, encryption_key, *limits).await;
        staged.map_err(|problem| StagingError::new(artifact, problem))
    }

    async fn pack(
        &self,
        artifact: &Artifact,
        from: &Path,
        encryption_key: Option<&str>,
        limits: UnpackLimits,
    ) -> Result<Staged, Problem> {
        let stop = Stop::new();
        let _guard = stop.on_drop();
        let (mut writer, parts) = upload::channel(Handle::current(), stop.clone());
        let from = from.to_owned();
        let packing = stop.clone();
        let packed = self.tasks.spawn_blocking(move || {
            let staged = pack::pack(&from, &mut writer, limits, &packing)?;
            writer.finish()?;
            Ok(staged)
        });
        let destination = Destination::new(self.caller.clone(), artifact, ZIP, encryption_key);
        outcome(self.tasks.spawn(destination.upload(parts, packed, stop))).await
    }

    /// Waits until nothing of this store is running any more: after a dropped future, until its threads have noticed and
    /// an unfinished upload is aborted, for which S3 has 1.5 s. Dropping the store instead skips the abort.
    pub async fn finished(&self) {
        self.tasks.finished().await;
    }
}

/// The outcome of a task; one that panicked has none.
async fn outcome<T>(task: oneshot::Receiver<Result<T, Problem>>) -> Result<T, Problem> {
    task.await.unwrap_or(Err(Problem::Interrupted))
}
