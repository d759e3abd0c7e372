//! Copies an object that an action's work has left in S3 to an output artifact.
//!
//! The worker reads the object with the function's own credentials and writes it with the job's. The bytes pass through
//! the worker, because S3 copies only for a caller that may do both. They are uploaded as they arrive.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use rawzip::ReaderAt;
use tokio::runtime::Handle;

use super::download::{DOING, S3Object};
use super::error::Problem;
use super::lane::{Lane, Object, RANGES_AHEAD, Source};
use super::stop::Stop;
use super::upload::{self, Destination, PartWriter};
use super::{Staged, StagingError, Store, task_result};
use crate::job::{Artifact, ObjectPlace};

/// S3's own content type for an object without one.
const ANY_BYTES: &str = "binary/octet-stream";
const CHUNK_BYTES: usize = 64 * 1024;

impl Store {
    /// Copies the object `from`, which the function's own role may read, to the artifact's bucket and key. It is
    /// encrypted as in [`Store::stage_out`] and keeps its content type. Nothing is unpacked or packed.
    ///
    /// # Errors
    /// Returns an error if the object can't be read, is longer than 48.8 GiB or is replaced meanwhile, or if the upload
    /// fails. The artifact is then missing or unchanged.
    pub async fn copy_out(
        &self,
        from: &ObjectPlace,
        artifact: &Artifact,
        encryption_key: Option<&str>,
    ) -> Result<Staged, StagingError> {
        let ObjectPlace { bucket, key } = from.clone();
        let source = Artifact { name: artifact.name.clone(), revision: None, bucket, key };
        let of_source = |problem| StagingError::new(&source, of_own_role(problem));
        let (object, head) = S3Object::open(self.own.get(), &source).await.map_err(of_source)?;
        let size = object.size();
        if size > upload::MAX_BYTES {
            let most = upload::MAX_BYTES;
            return Err(of_source(Problem::Output(format!(
                "the object has {size} bytes; at most {most} can be copied"
            ))));
        }
        let content_type = object.content_type().unwrap_or(ANY_BYTES).to_owned();
        let stop = Stop::new();
        let _guard = stop.on_drop();
        let bytes = Source { object: Arc::new(object), head, runtime: Handle::current(), stop: stop.clone() };
        let (writer, parts) = upload::channel(Handle::current(), stop.clone());
        let unread = Arc::new(OnceLock::new());
        let copied = self.tasks.spawn_blocking({
            let unread = Arc::clone(&unread);
            move || copy(&bytes.lane(size, RANGES_AHEAD), size, writer, &unread)
        });
        let destination = Destination::new(self.caller.clone(), artifact, &content_type, encryption_key);
        let uploaded = task_result(self.tasks.spawn(destination.upload(parts, copied, stop))).await;
        uploaded.map_err(|problem| match unread.get() {
            Some(unread) => of_source(Problem::clone(unread)),
            None => StagingError::new(artifact, problem),
        })
    }
}

/// Reads the whole object into the parts. `unread` gets the problem that keeps it from being read, because that is the
/// object's and not the artifact's. An interruption is not such a problem.
fn copy<O: Object>(
    from: &Lane<O>,
    size: u64,
    mut into: PartWriter,
    unread: &OnceLock<Problem>,
) -> Result<Staged, Problem> {
    let mut chunk = [0; CHUNK_BYTES];
    let mut done = 0;
    while done < size {
        let count = from.read_at(&mut chunk, done).map_err(|error| {
            let problem = Problem::inside(&error, |_| Problem::Interrupted);
            if problem != Problem::Interrupted {
                // Only the first problem is the cause.
                let _ = unread.set(problem.clone());
            }
            problem
        })?;
        if count == 0 {
            return Err(Problem::Interrupted);
        }
        into.write_all(&chunk[..count]).map_err(|error| Problem::inside(&error, |_| Problem::Interrupted))?;
        done += count as u64;
    }
    into.finish()?;
    Ok(Staged { bytes: size, entries: 1 })
}

/// A job's credentials are renewed when they expire, the function's own are not.
fn of_own_role(problem: Problem) -> Problem {
    match problem {
        Problem::Expired => {
            Problem::Unavailable { doing: DOING, reason: "the function's credentials have expired".to_owned() }
        }
        other => other,
    }
}
