//! Uploads a stream of bytes as an S3 object, in parts, encrypted with KMS.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedPart, ServerSideEncryption};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::Staged;
use super::caller::Caller;
use super::error::Problem;
use super::stop::Stop;
use super::timeouts;
use crate::job::Artifact;
use ending::Upload;
use parts::Part;

mod ending;
mod parts;
mod tries;

pub(super) use parts::{MAX_BYTES, PartWriter, Parts, channel};

/// How long the request that begins an upload, and then the one that aborts it, may take after a stop. A caller waits
/// longer than both together for a cancelled store.
const AFTER_STOP: Duration = Duration::from_millis(750);

/// The request that ends an upload without an object, as a verb.
pub(super) const ABORTING: &str = "abort the upload";

/// The object that an upload creates.
#[derive(Clone)]
pub(super) struct Destination {
    caller: Caller,
    bucket: String,
    key: String,
    content_type: String,
    /// `None` for the account's own `aws/s3` key.
    kms_key: Option<String>,
}

impl Destination {
    pub(super) fn new(caller: Caller, artifact: &Artifact, content_type: &str, kms_key: Option<&str>) -> Self {
        let Artifact { bucket, key, .. } = artifact.clone();
        Self { caller, bucket, key, content_type: content_type.to_owned(), kms_key: kms_key.map(str::to_owned) }
    }

    /// Uploads the parts. The object appears only if `packed`, the result of the writer, is good. A multipart upload
    /// that creates no object is aborted, also after a cancellation.
    pub(super) async fn upload(
        self,
        mut parts: Parts,
        packed: oneshot::Receiver<Result<Staged, Problem>>,
        stop: Stop,
    ) -> Result<Staged, Problem> {
        let Some(first) = parts.0.recv().await else {
            // A writer that has not failed sends at least one part, which may be empty.
            return Err(packed.await.unwrap_or(Err(Problem::Interrupted)).err().unwrap_or(Problem::Interrupted));
        };
        let Some(second) = parts.0.recv().await else {
            let staged = packed.await.unwrap_or(Err(Problem::Interrupted))?;
            self.put(first.bytes, &stop).await?;
            return Ok(staged);
        };
        let upload = self.create(&stop).await.inspect_err(|_| stop.stop())?;
        let (completed, staged) = match self.send_all(&upload, [first, second], parts, packed, &stop).await {
            Ok(sent) => sent,
            Err(problem) => {
                self.abort(&upload, &stop).await;
                // The writer would notice only at its next part.
                stop.stop();
                return Err(problem);
            }
        };
        self.complete(&upload, completed, &stop).await.map(|()| staged)
    }

    async fn put(&self, bytes: Bytes, stop: &Stop) -> Result<(), Problem> {
        let request = self
            .caller
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .content_type(&self.content_type)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(self.kms_key.clone())
            .body(ByteStream::from(bytes));
        let request = request.customize().config_override(timeouts::for_uploads());
        match unless_stopped(stop, request.send()).await? {
            Ok(_) => Ok(()),
            Err(error) => Err(self.caller.problem("write the object", &error).await),
        }
    }

    /// A stop does not interrupt this at once: an upload without a known id can't be aborted.
    async fn create(&self, stop: &Stop) -> Result<Upload, Problem> {
        const DOING: &str = "begin the upload";
        let mark = ending::new_mark();
        let request = self
            .caller
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .content_type(&self.content_type)
            .metadata(ending::MARK, &mark)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(self.kms_key.clone());
        let Some(created) = soon_after_stop(stop, request.send()).await else {
            self.stays_behind("stopped before S3 returned its id");
            return Err(Problem::Interrupted);
        };
        let created = match created {
            Ok(created) => created,
            Err(error) => return Err(self.caller.problem(DOING, &error).await),
        };
        let without_id = || Problem::Unavailable { doing: DOING, reason: "the response has no upload id".to_owned() };
        Ok(Upload { id: created.upload_id.ok_or_else(without_id)?, mark })
    }

    /// Uploads all parts, and waits for the writer's result.
    async fn send_all(
        &self,
        upload: &Upload,
        early: [Part; 2],
        parts: Parts,
        packed: oneshot::Receiver<Result<Staged, Problem>>,
        stop: &Stop,
    ) -> Result<(Vec<CompletedPart>, Staged), Problem> {
        let completed = self.send(&upload.id, early, parts, stop).await?;
        Ok((completed, packed.await.unwrap_or(Err(Problem::Interrupted))?))
    }

    /// Uploads as many parts at once as there is room for in memory.
    async fn send(
        &self,
        id: &str,
        early: [Part; 2],
        mut parts: Parts,
        stop: &Stop,
    ) -> Result<Vec<CompletedPart>, Problem> {
        let mut uploads = JoinSet::new();
        let mut completed = Vec::new();
        let mut number = 0;
        let mut start = |part: Part, uploads: &mut JoinSet<_>| {
            number += 1;
            uploads.spawn(self.clone().send_part(id.to_owned(), number, part).in_current_span());
        };
        for part in early {
            start(part, &mut uploads);
        }
        let mut more = true;
        let outcome = loop {
            if !more && uploads.is_empty() {
                break Ok(());
            }
            tokio::select! {
                biased;
                () = stop.stopped() => break Err(Problem::Interrupted),
                Some(done) = uploads.join_next() => match done.unwrap_or(Err(Problem::Interrupted)) {
                    Ok(part) => completed.push(part),
                    Err(problem) => break Err(problem),
                },
                part = parts.0.recv(), if more => match part {
                    Some(part) => start(part, &mut uploads),
                    None => more = false,
                },
            }
        };
        // No part may arrive after the abort, because S3 would keep it.
        uploads.shutdown().await;
        outcome?;
        completed.sort_unstable_by_key(CompletedPart::part_number);
        Ok(completed)
    }

    async fn send_part(self, id: String, number: i32, part: Part) -> Result<CompletedPart, Problem> {
        let request = self
            .caller
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(part.bytes.clone()));
        let request = request.customize().config_override(timeouts::for_uploads());
        let sent = match request.send().await {
            Ok(sent) => sent,
            Err(error) => return Err(self.caller.problem("upload a part", &error).await),
        };
        // S3 wants the parts' checksums again if the upload was begun with an algorithm, as the SDK does.
        let completed = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(completed.set_checksum_crc32(sent.checksum_crc32).build())
    }
}

/// The result of work that continues after a stop, for at most [`AFTER_STOP`].
async fn soon_after_stop<T>(stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
    let too_late = async {
        stop.stopped().await;
        tokio::time::sleep(AFTER_STOP).await;
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = too_late => None,
    }
}

async fn unless_stopped<T>(stop: &Stop, work: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::select! {
        biased;
        () = stop.stopped() => Err(Problem::Interrupted),
        done = work => Ok(done),
    }
}
