//! Ranged GETs of one object.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};

use super::caller::Caller;
use super::error::Problem;
use super::lane::{Object, RANGE_BYTES};
use crate::calls::Pauses;
use crate::job::Artifact;

pub(super) const DOING: &str = "read the object";
/// How often one range may break off in the middle. The SDK retries requests, but not bodies that have begun.
const MOST_BREAKS: u32 = 5;
/// Doubled after every break: 100 + 200 + 400 + 800 ms = 1.5 s of waiting before the fifth break ends it. No jitter: the
/// ranges of an artifact break off one by one. The turn's end drops it, whatever it waits for.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(1));

/// An object as it was when it was opened: a replacement is noticed, never mixed in.
pub(super) struct S3Object {
    caller: Caller,
    bucket: String,
    key: String,
    size: u64,
    etag: Option<String>,
    content_type: Option<String>,
}

impl S3Object {
    /// Opens the object by reading its first range, which tells its size and ETag: a HEAD would cost a request more, and
    /// its refusals have no body to tell an expired token from others.
    pub(super) async fn open(caller: Caller, artifact: &Artifact) -> Result<(Self, Bytes), Problem> {
        let Artifact { bucket, key, .. } = artifact.clone();
        let mut object = Self { caller, bucket, key, size: 0, etag: None, content_type: None };
        let answer = object.request(0, RANGE_BYTES).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            // No range lies within an empty object.
            Err(error) if error.code() == Some("InvalidRange") => return Ok((object, Bytes::new())),
            Err(error) => return Err(object.caller.problem(DOING, &error).await),
        };
        object.etag = answer.e_tag().map(str::to_owned);
        object.content_type = answer.content_type().map(str::to_owned);
        object.size = total_size(&answer)?;
        let head = object.receive(0, RANGE_BYTES.min(object.size), BytesMut::new(), Some(answer)).await?;
        Ok((object, head))
    }

    /// What the object says that it is, where it was said when it was written.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    fn request(&self, offset: u64, length: u64) -> aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder {
        let last = offset + length.saturating_sub(1);
        let request = self.caller.client.get_object().bucket(&self.bucket).key(&self.key);
        request.range(format!("bytes={offset}-{last}")).set_if_match(self.etag.clone())
    }

    /// Reads a range to its end, going on where it broke off. `answer` is one that has come already.
    async fn receive(
        &self,
        offset: u64,
        length: u64,
        mut received: BytesMut,
        mut answer: Option<GetObjectOutput>,
    ) -> Result<Bytes, Problem> {
        let wanted = usize::try_from(length).map_err(|_| Problem::Interrupted)?;
        received.reserve(wanted);
        let mut breaks = 0;
        loop {
            let mut body = match answer.take() {
                Some(answer) => answer.body,
                None => {
                    let done = received.len() as u64;
                    match self.request(offset + done, length - done).send().await {
                        Ok(answer) => answer.body,
                        Err(error) => return Err(self.caller.problem(DOING, &error).await),
                    }
                }
            };
            while let Some(Ok(chunk)) = body.next().await {
                // More than was asked for would be a server that ignores ranges.
                let missing = wanted - received.len();
                received.extend_from_slice(&chunk[..chunk.len().min(missing)]);
                if received.len() == wanted {
                    return Ok(received.freeze());
                }
            }
            if wanted == received.len() {
                return Ok(received.freeze());
            }
            breaks += 1;
            if breaks == MOST_BREAKS {
                let reason = format!("the connection broke off {MOST_BREAKS} times within one range");
                return Err(Problem::Unavailable { doing: DOING, reason });
            }
            tokio::time::sleep(PAUSES.limit(breaks)).await;
        }
    }
}

impl Object for S3Object {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read(&self, offset: u64, length: u64, buffer: BytesMut) -> Result<Bytes, Problem> {
        self.receive(offset, length, buffer, None).await
    }
}

/// From `Content-Range: bytes 0-1048575/1073741824`, or the length of an answer that is not partial.
fn total_size(answer: &GetObjectOutput) -> Result<u64, Problem> {
    let total = match answer.content_range() {
        Some(range) => range.rsplit_once('/').and_then(|(_, total)| total.parse().ok()),
        None => answer.content_length().and_then(|length| u64::try_from(length).ok()),
    };
    let reason = || "its answer does not tell the object's size".to_owned();
    total.ok_or_else(|| Problem::Unavailable { doing: DOING, reason: reason() })
}
