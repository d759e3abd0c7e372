//! Ends a multipart upload: completes it to an object, or aborts it.
//!
//! A completion may take effect although its response gets lost. Another try then gets the response that there is no such
//! upload, which S3 also gives for an aborted one. After an unanswered try this means success. The upload existed when
//! its last part arrived, no other worker knows its id, and lifecycle rules abort only uploads that are days old.
//!
//! The worker also looks at the object, which has our mark if the upload was completed. (With KMS, its ETag can't be
//! predicted.) The job's credentials may not permit that, because they write this object and read others.
//! Then S3's response about the upload decides.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::time::timeout;

use super::tries::{FailedRequest, tries};
use super::{ABORTING, Destination, Problem, Stop, soon_after_stop, timeouts, unless_stopped};

/// All of the job's work depends on the completion. Five tries take 5 × 60 s and pauses of 7.5 s if none gets a response.
const TRIES_TO_COMPLETE: u32 = 5;
const TRIES_TO_ABORT: u32 = 3;
/// The limit of an abort with its tries, which could take 3 × 10 s and pauses of 1.5 s.
const ABORT: Duration = Duration::from_secs(10);
/// The mark's name in the object's metadata.
pub(super) const MARK: &str = "codepipeline-worker-upload";

/// A multipart upload that has begun.
pub(super) struct Upload {
    pub(super) id: String,
    /// The value of [`MARK`] in the object's metadata.
    pub(super) mark: String,
}

/// A mark that no other upload to the same key has: 64 bits from the operating system's randomness.
pub(super) fn new_mark() -> String {
    format!("{:016x}", RandomState::new().hash_one(0_u8))
}

impl Destination {
    /// Completes the upload to an object, or aborts it if that fails.
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
        // After the abort, no try can take effect any more.
        let ended_before = is_gone || self.abort(upload, stop).await;
        if !unanswered {
            return Err(problem);
        }
        let is_ours = unless_stopped(stop, self.bears(&upload.mark)).await?;
        if is_ours.unwrap_or(ended_before) {
            tracing::info!(
                error = %problem,
                s3Bucket = self.bucket,
                s3Key = self.key,
                "an upload was completed although the response got lost"
            );
            return Ok(());
        }
        Err(problem)
    }

    /// Whether the object has the mark; `None` if S3 does not say. A refusal of a HEAD has no body. S3 sends
    /// "forbidden" for a missing object if the credentials may not list the bucket.
    async fn bears(&self, mark: &str) -> Option<bool> {
        match self.caller.client.head_object().bucket(&self.bucket).key(&self.key).send().await {
            Ok(object) => Some(object.metadata().and_then(|all| all.get(MARK)).is_some_and(|found| found == mark)),
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                (status == Some(404)).then_some(false)
            }
        }
    }

    /// Aborts the upload if it can: the job's credentials may not permit that, and then the bucket's lifecycle rules
    /// clean up. Returns whether the upload had ended before. That is unknown, and `false`, if an unanswered try of
    /// this abort may have ended it.
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
                self.stays_behind("S3 did not answer the abort in time");
                false
            }
        }
    }

    pub(super) fn stays_behind(&self, why: &str) {
        tracing::warn!(
            error = why,
            s3Bucket = self.bucket,
            s3Key = self.key,
            "could not abort an unfinished upload; its parts cost storage until a lifecycle rule of the bucket \
             (AbortIncompleteMultipartUpload) removes them"
        );
    }
}
