//! Reads an object in ranges.

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
/// How often one range may break off. The SDK retries requests, but not bodies that have begun.
const MOST_BREAKS: u32 = 5;
/// The pauses double after every break: 100 + 200 + 400 + 800 ms = 1.5 s before the fifth break ends the read. They are
/// not random, because the ranges of an artifact break off independently. This is no call with tries: each request
/// resumes where the last one broke off. The end of the turn cuts it short.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(1));

/// An opened object. A read fails if the object is replaced meanwhile.
pub(super) struct S3Object {
    caller: Caller,
    bucket: String,
    key: String,
    size: u64,
    etag: Option<String>,
    content_type: Option<String>,
}

impl S3Object {
    /// Opens the object by reading its first range, whose response has the size and ETag. A HEAD would cost another
    /// request, and its refusals have no body that names an expired token.
    pub(super) async fn open(caller: Caller, artifact: &Artifact) -> Result<(Self, Bytes), Problem> {
        let Artifact { bucket, key, .. } = artifact.clone();
        let mut object = Self { caller, bucket, key, size: 0, etag: None, content_type: None };
        let response = object.request(0, RANGE_BYTES).send().await;
        let response = match response {
            Ok(response) => response,
            // An empty object has no range.
            Err(error) if error.code() == Some("InvalidRange") => return Ok((object, Bytes::new())),
            Err(error) => return Err(object.caller.problem(DOING, &error).await),
        };
        object.etag = response.e_tag().map(str::to_owned);
        object.content_type = response.content_type().map(str::to_owned);
        object.size = total_size(&response)?;
        let head = object.receive(0, RANGE_BYTES.min(object.size), BytesMut::new(), Some(response)).await?;
        Ok((object, head))
    }

    /// The object's content type, if the writer set one.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    fn request(&self, offset: u64, length: u64) -> aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder {
        let last = offset + length.saturating_sub(1);
        let request = self.caller.client.get_object().bucket(&self.bucket).key(&self.key);
        request.range(format!("bytes={offset}-{last}")).set_if_match(self.etag.clone())
    }

    /// Reads a range to its end, and resumes where it breaks off. `response` is the first one, if it has come already.
    async fn receive(
        &self,
        offset: u64,
        length: u64,
        mut received: BytesMut,
        mut response: Option<GetObjectOutput>,
    ) -> Result<Bytes, Problem> {
        let wanted = usize::try_from(length).map_err(|_| Problem::Interrupted)?;
        received.reserve(wanted);
        let mut breaks = 0;
        loop {
            let mut body = match response.take() {
                Some(response) => response.body,
                None => {
                    let done = received.len() as u64;
                    match self.request(offset + done, length - done).send().await {
                        Ok(response) => response.body,
                        Err(error) => return Err(self.caller.problem(DOING, &error).await),
                    }
                }
            };
            while let Some(Ok(chunk)) = body.next().await {
                // A server that ignores ranges sends more.
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

/// The total in `Content-Range: bytes 0-1048575/1073741824`, or the length of a response that is not partial.
fn total_size(response: &GetObjectOutput) -> Result<u64, Problem> {
    let total = match response.content_range() {
        Some(range) => range.rsplit_once('/').and_then(|(_, total)| total.parse().ok()),
        None => response.content_length().and_then(|length| u64::try_from(length).ok()),
    };
    let reason = || "the response does not have the object's size".to_owned();
    total.ok_or_else(|| Problem::Unavailable { doing: DOING, reason: reason() })
}
