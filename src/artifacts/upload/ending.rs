//! The end of a multipart upload: it becomes an object, or it is aborted.
//!
//! A completion may take effect and its answer get lost. When it is tried again, S3 knows no such upload any more, which says the
//! same of one that is completed and of one that was aborted. That is success if an earlier try is in doubt: the upload was there
//! when its last part came, nobody else knows its id, and lifecycle rules abort what is days old. The object is asked, too: it
//! bears our mark (its ETag can't be foretold, with KMS), or it is not ours. The job's credentials may not allow to ask, since
//! they write this object and read others; then what S3 said of the upload decides.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::time::timeout;

use super::tries::{FailedRequest, tries};
use super::{ABORTING, Destination, Problem, Stop, soon_after_stop, timeouts, unless_stopped};

/// All of the job's work depends on it by now. With what one try may take (`timeouts`) and the pauses: 5 × 60 s and 7.5 s
/// where none is answered.
const TRIES_TO_COMPLETE: u32 = 5;
const TRIES_TO_ABORT: u32 = 3;
/// What an abort may take, its tries included, which could take 3 × 10 s and 1.5 s.
const ABORT: Duration = Duration::from_secs(10);
/// The mark's name in an object's metadata.
pub(super) const MARK: &str = "codepipeline-worker-upload";

/// An upload that was begun.
pub(super) struct Upload {
    pub(super) id: String,
    /// What the object will have as [`MARK`].
    pub(super) mark: String,
}

/// A mark that no other upload to the same key has: 64 bits that depend on the operating system's randomness.
pub(super) fn new_mark() -> String {
    format!("{:016x}", RandomState::new().hash_one(0_u8))
}

impl Destination {
    /// Makes an object of the upload. Where it fails, the upload is aborted.
    pub(super) async fn complete(
        &self,
        upload: &Upload,
        parts: Vec<CompletedPart>,
        stop: &Stop,
    ) -> Result<(), Problem> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.caller.client.complete_multipart_upload().bucket(&self.bucket).key(&self.key);
        let request = request.upload_id(&upload.id).multipart_upload(parts);
        let tried = tries(&self.caller, "complete the upload", TRIES_TO_COMPLETE, || {
            request
                .clone()
                .customize()
                .config_override(timeouts::for_uploads().retry_config(RetryConfig::disabled()))
                .send()
        });
        let tried = unless_stopped(stop, tried).await;
        let FailedRequest { problem, is_gone, unanswered } = match tried {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(failed)) => failed,
            Err(problem) => {
                self.abort(upload, stop).await;
                return Err(problem);
            }
        };
        // After the abort no try can take effect any more.
        let ended_before = is_gone || self.abort(upload, stop).await;
        if !unanswered {
            return Err(problem);
        }
        let is_ours = unless_stopped(stop, self.bears(&upload.mark)).await?;
        if is_ours.unwrap_or(ended_before) {
            tracing::info!(
                error = %problem,
                s3.bucket = self.bucket,
                s3.key = self.key,
                "an upload was completed though the answer to it got lost"
            );
            return Ok(());
        }
        Err(problem)
    }

    /// Whether the object bears the mark; `None` if S3 does not tell. Its refusal has no body, and says "forbidden" also of an
    /// object that is not there where the credentials may not list the bucket.
    async fn bears(&self, mark: &str) -> Option<bool> {
        match self.caller.client.head_object().bucket(&self.bucket).key(&self.key).send().await {
            Ok(object) => Some(object.metadata().and_then(|all| all.get(MARK)).is_some_and(|found| found == mark)),
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                (status == Some(404)).then_some(false)
            }
        }
    }

    /// Best effort: the job's credentials may not allow it, and then the bucket's lifecycle rules clean up. Whether the upload
    /// had ended before, which is not said of one that an abort without an answer may have ended.
    pub(super) async fn abort(&self, upload: &Upload, stop: &Stop) -> bool {
        let request =
            self.caller.client.abort_multipart_upload().bucket(&self.bucket).key(&self.key).upload_id(&upload.id);
        let tried = tries(&self.caller, ABORTING, TRIES_TO_ABORT, || {
            request.clone().customize().config_override(Builder::new().retry_config(RetryConfig::disabled())).send()
        });
        match soon_after_stop(stop, timeout(ABORT, tried)).await {
            Some(Ok(Ok(_))) => false,
            Some(Ok(Err(failed))) if failed.is_gone => !failed.unanswered,
            Some(Ok(Err(failed))) => {
                self.stays_behind(&failed.problem.to_string());
                false
            }
            None | Some(Err(_)) => {
                self.stays_behind("S3 did not answer in time to its abort");
                false
            }
        }
    }

    pub(super) fn stays_behind(&self, why: &str) {
        tracing::warn!(
            error = why,
            s3.bucket = self.bucket,
            s3.key = self.key,
            "could not abort an unfinished upload; its parts cost storage until a lifecycle rule of the bucket \
             (AbortIncompleteMultipartUpload) removes them"
        );
    }
}
