//! Artifacts: stages an S3 object in as a folder, and a folder out as an S3 object.
//!
//! ```text
//! stage in:   download (ranged GETs) ─▶ lane (reads ahead) ─▶ format (zip, tar, …) ─▶ unpack ─▶ jail (the folder)
//! stage out:  pack (zip as a stream) ─▶ upload (parts, multipart, SSE-KMS)
//! copy out:   download ─▶ lane ─▶ upload, for results that are already in S3
//! ```
//!
//! All of them stream. No temporary copy goes to the disk. Memory holds a fixed number of ranges or parts, for objects of any
//! size. Unpacking and packing run on separate threads, which check at every chunk whether to stop.

use std::num::NonZero;
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
mod copy;
mod credentials;
mod download;
mod error;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod jail;
mod lane;
mod limits;
mod links;
mod name_list;
mod names;
mod pack;
mod presign;
mod renewal;
mod response;
mod stop;
mod tasks;
mod timeouts;
mod unpack;
mod upload;

pub use credentials::Stores;
pub use error::{Problem, StagingError};
pub use limits::{EntryClass, UnpackLimits};
pub use presign::Presigned;
pub use renewal::Renew;
pub use response::Whose;

/// The size of a staged artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Bytes of file content that were written, including those of replaced files.
    pub bytes: u64,
    /// Files, folders and links in the folder.
    pub entries: u64,
}

const ZIP: &str = "application/zip";

/// Accesses one job's artifacts with the job's credentials.
///
/// The futures of [`Store::stage_in`], [`Store::stage_out`] and [`Store::copy_out`] may be dropped at any time. Their threads
/// stop at the next chunk. Await [`Store::finished`] before the job's folder is removed, even if a future was dropped.
pub struct Store {
    caller: Caller,
    /// Uses the function's own credentials, for objects that are not artifacts.
    own: OwnClient,
    tasks: Tasks,
}

impl Store {
    fn new(caller: Caller, own: OwnClient) -> Self {
        Self { caller, own, tasks: Tasks::default() }
    }

    /// Unpacks the artifact's object into the empty folder `into`. An object that is not a zip, tar or tar.gz becomes one file
    /// with the artifact's name.
    ///
    /// # Errors
    /// Returns an error if the object can't be read, is damaged or hostile, or exceeds a limit. The folder may then hold a
    /// part of it, but no thread writes to it any more.
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
        task_result(self.tasks.spawn_blocking(move || unpack::unpack(&source, &name, &into, limits))).await
    }

    /// Uploads the folder `from` as a zip archive to the artifact's bucket and key. KMS encrypts it with the key
    /// `encryption_key` (id, ARN or alias ARN), or else with the account's `aws/s3` key.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read, exceeds a limit or has a name that is not UTF-8, or if the upload
    /// fails. The object then does not exist or is unchanged.
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
        task_result(self.tasks.spawn(destination.upload(parts, packed, stop))).await
    }

    /// Waits until no task or thread of this store runs. After a dropped future, its threads stop and an unfinished upload is
    /// aborted, which takes at most 1.5 s. If the store is dropped instead, the abort is skipped.
    pub async fn finished(&self) {
        self.tasks.finished().await;
    }
}

/// The number of processors that this process may use.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The result of a task, or [`Problem::Interrupted`] if it panicked.
async fn task_result<T>(task: oneshot::Receiver<Result<T, Problem>>) -> Result<T, Problem> {
    task.await.unwrap_or(Err(Problem::Interrupted))
}
