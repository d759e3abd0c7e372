//! Multipart uploads. An upload belongs to its bucket and key, not to the credentials that began it: a job's credentials are
//! renewed while it uploads.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CompletedPart, CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Range,
    ServerSideEncryption, StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::blob::{BUCKET, Blob, KEY};
use super::catalog::{Encryption, Record, internal};
use super::condition::{Condition, check_read};
use super::objects::contents;
use super::storage::{Storage, date, job_caller, own_request};
use crate::types::Timestamp;

/// Every part but the last must have this size (S3 User Guide, "Amazon S3 multipart upload limits").
const SMALLEST_PART: i64 = 5 * 1024 * 1024;

/// The most parts that one page of a listing has (S3 API Reference, ListParts).
const PARTS_PAGE: i32 = 1000;

/// Uploads that are neither completed nor aborted, by their ids. They end with the emulator.
#[derive(Default)]
pub(super) struct Uploads(Mutex<BTreeMap<String, Arc<Upload>>>);

struct Upload {
    bucket: String,
    key: String,
    begun: Timestamp,
    blob: Arc<Blob>,
    encryption: Encryption,
    e_tags: Mutex<BTreeMap<i32, String>>,
}

impl Uploads {
    fn add(&self, id: String, upload: Upload) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(upload));
    }

    fn get(&self, id: &str, bucket: &str, key: &str) -> S3Result<Arc<Upload>> {
        let uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = uploads.get(id).filter(|upload| upload.bucket == bucket && upload.key == key);
        found.cloned().ok_or_else(|| s3_error!(NoSuchUpload, "The upload was never begun, or is completed or aborted"))
    }

    /// Takes the upload away from everyone else; one of two that try gets it.
    fn take(&self, id: &str) -> S3Result<Arc<Upload>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        taken.ok_or_else(|| s3_error!(NoSuchUpload, "The upload was completed or aborted meanwhile"))
    }
}

impl Storage {
    pub(super) async fn begin_upload(
        &self,
        mut request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let job = job_caller(&request.extensions);
        let input = &mut request.input;
        self.catalog.check_bucket(&input.bucket)?;
        let bucket = std::mem::replace(&mut input.bucket, BUCKET.into());
        let key = std::mem::replace(&mut input.key, KEY.into());
        let asked = (input.server_side_encryption.take(), input.ssekms_key_id.take());
        let encryption = self.encryption(&bucket, job, asked)?;
        request.credentials = None;

        let blob = Arc::new(self.catalog.new_blob().map_err(internal)?);
        let mut response = blob.store().create_multipart_upload(request).await?;
        let id = response.output.upload_id.clone().ok_or_else(|| s3_error!(InternalError))?;
        response.output.bucket = Some(bucket.clone());
        response.output.key = Some(key.clone());
        response.output.server_side_encryption = Some(ServerSideEncryption::from(encryption.algorithm.clone()));
        response.output.ssekms_key_id.clone_from(&encryption.key_id);
        let upload = Upload { bucket, key, begun: self.clock.now(), blob, encryption, e_tags: Mutex::default() };
        self.uploads.add(id, upload);
        Ok(response)
    }

    pub(super) async fn put_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut request.input;
        let number = input.part_number;
        if !(1..=10_000).contains(&number) {
            return Err(s3_error!(InvalidArgument, "A part's number is between 1 and 10000"));
        }
        let upload = self.uploads.get(&input.upload_id, &input.bucket, &input.key)?;
        input.bucket = BUCKET.into();
        input.key = KEY.into();
        request.credentials = None;

        let mut response = upload.blob.store().upload_part(request).await?;
        let e_tag = response.output.e_tag.clone().ok_or_else(|| s3_error!(InternalError))?.into_value();
        upload.e_tags.lock().unwrap_or_else(PoisonError::into_inner).insert(number, e_tag);
        response.output.server_side_encryption = Some(ServerSideEncryption::from(upload.encryption.algorithm.clone()));
        response.output.ssekms_key_id.clone_from(&upload.encryption.key_id);
        Ok(response)
    }

    pub(super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        let source = self.copied(&input.copy_source)?;
        let (if_match, if_none_match) = (input.copy_source_if_match.as_ref(), input.copy_source_if_none_match.as_ref());
        if check_read(if_match, if_none_match, &source.record.e_tag).is_err() {
            return Err(s3_error!(PreconditionFailed, "The source is not what the request's conditions demand"));
        }
        let size = source.record.size;
        let (start, length) = match input.copy_source_range.as_deref() {
            Some(range) => copied_span(range, size)?,
            None => (0, size),
        };
        let bytes = contents(source.blob.file(), start, length).await.map_err(internal)?;
        let part = own_request(UploadPartInput {
            bucket: input.bucket,
            key: input.key,
            upload_id: input.upload_id,
            part_number: input.part_number,
            body: Some(StreamingBlob::wrap(bytes)),
            ..Default::default()
        });
        let part = self.put_part(part).await?.output;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: part.e_tag,
                last_modified: Some(date(self.clock.now())),
                ..Default::default()
            }),
            copy_source_version_id: self.catalog.shown_version(&source),
            server_side_encryption: part.server_side_encryption,
            ssekms_key_id: part.ssekms_key_id,
            ..Default::default()
        }))
    }

    pub(super) async fn parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = &request.input;
        let upload = self.uploads.get(&input.upload_id, &input.bucket, &input.key)?;
        let mut response = upload.list_parts(&input.upload_id).await?;
        response.output.bucket = Some(upload.bucket.clone());
        response.output.key = Some(upload.key.clone());
        let limit = input.max_parts.unwrap_or(PARTS_PAGE).clamp(0, PARTS_PAGE);
        let after = input.part_number_marker.unwrap_or(0);
        let parts = response.output.parts.get_or_insert_default();
        parts.retain(|part| part.part_number > Some(after));
        let truncated = parts.len() > usize::try_from(limit).unwrap_or(0);
        parts.truncate(usize::try_from(limit).unwrap_or(0));
        response.output.next_part_number_marker = parts.last().and_then(|part| part.part_number);
        response.output.part_number_marker = Some(after);
        response.output.max_parts = Some(limit);
        response.output.is_truncated = Some(truncated);
        Ok(response)
    }

    pub(super) async fn complete_upload(
        &self,
        mut request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &mut request.input;
        let bucket = std::mem::replace(&mut input.bucket, BUCKET.into());
        let key = std::mem::replace(&mut input.key, KEY.into());
        let condition = Condition::of_write(input.if_match.take(), input.if_none_match.take())?;
        let upload = self.uploads.get(&input.upload_id, &bucket, &key)?;
        let parts = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or(&[]);
        upload.check_parts(&input.upload_id, parts).await?;
        // A condition that fails now leaves the upload as it is. The one that counts is checked again at the commit.
        let current = self.catalog.get(&bucket, &key).ok();
        condition.check(current.as_ref().map(|object| object.record.e_tag.as_str()))?;

        let upload = self.uploads.take(&input.upload_id)?;
        let named = input.multipart_upload.as_mut().and_then(|upload| upload.parts.as_deref_mut()).unwrap_or_default();
        upload.number_parts(&input.upload_id, named).map_err(internal)?;
        request.credentials = None;
        let response = upload.blob.store().complete_multipart_upload(request).await?;
        // The store puts its answer into a future, for those that take long.
        let output = match response.output.future {
            Some(future) => future.await?,
            None => response.output,
        };
        let e_tag = output.e_tag.ok_or_else(|| s3_error!(InternalError))?.into_value();
        let size = std::fs::metadata(upload.blob.file()).map_err(internal)?.len();
        let encryption = upload.encryption.clone();
        let record = Record::new((&bucket, &key), e_tag.clone(), size, self.clock.now(), encryption.clone());
        let object = self.catalog.commit(record, Arc::clone(&upload.blob), &condition)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{bucket}/{key}")),
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(ETag::Strong(e_tag)),
            version_id: self.catalog.shown_version(&object),
            server_side_encryption: Some(ServerSideEncryption::from(encryption.algorithm)),
            ssekms_key_id: encryption.key_id,
            ..Default::default()
        }))
    }

    pub(super) fn abort_upload(
        &self,
        request: &S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = &request.input;
        self.uploads.get(&input.upload_id, &input.bucket, &input.key)?;
        // Its parts go with its blob, once those that are still arriving have let go of it.
        self.uploads.take(&input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    pub(super) fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        self.catalog.check_bucket(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let uploads = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_bucket = uploads.iter().filter(|(_, it)| it.bucket == input.bucket && it.key.starts_with(&prefix));
        let uploads = of_bucket.map(|(id, upload)| MultipartUpload {
            key: Some(upload.key.clone()),
            upload_id: Some(id.clone()),
            initiated: Some(date(upload.begun)),
            ..Default::default()
        });
        let uploads = uploads.collect();
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix,
            is_truncated: Some(false),
            uploads: Some(uploads),
            ..Default::default()
        }))
    }
}

/// Where the copied range begins, and how long it is. It has both ends, and they lie within the source (S3 API Reference,
/// UploadPartCopy).
fn copied_span(range: &str, size: u64) -> S3Result<(u64, u64)> {
    match Range::parse(range) {
        Ok(Range::Int { first, last: Some(last) }) if first <= last && last < size => Ok((first, last - first + 1)),
        Ok(Range::Int { last: Some(_), .. }) => {
            Err(s3_error!(InvalidRange, "The range {} is not within the source's {} bytes", range, size))
        }
        _ => Err(s3_error!(InvalidArgument, "x-amz-copy-source-range must be of the form bytes=first-last")),
    }
}

impl Upload {
    /// The parts that have arrived, in order.
    async fn list_parts(&self, id: &str) -> S3Result<S3Response<ListPartsOutput>> {
        let input =
            ListPartsInput { bucket: BUCKET.into(), key: KEY.into(), upload_id: id.into(), ..Default::default() };
        let mut response = self.blob.store().list_parts(own_request(input)).await?;
        let e_tags = self.e_tags.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = response.output.parts.get_or_insert_default();
        // A part that is just being replaced is listed as it was.
        for part in parts.iter_mut() {
            part.e_tag = part.part_number.and_then(|number| e_tags.get(&number)).cloned().map(ETag::Strong);
        }
        parts.retain(|part| part.e_tag.is_some());
        parts.sort_by_key(|part| part.part_number);
        Ok(response)
    }

    /// Numbers the parts 1, 2, 3, and so on, which is all that the store knows to put together; S3 takes gaps. A part that lies
    /// where another one goes is not among those named, or was moved already, since they are in ascending order.
    fn number_parts(&self, id: &str, named: &mut [CompletedPart]) -> io::Result<()> {
        let file = |number: i32| self.blob.folder().join(format!(".upload_id-{id}.part-{number}"));
        for (wanted, part) in (1..).zip(named) {
            if let Some(number) = part.part_number.filter(|number| *number != wanted) {
                std::fs::rename(file(number), file(wanted))?;
                part.part_number = Some(wanted);
            }
        }
        Ok(())
    }

    /// Whether an upload can be completed with these parts. The store itself compares no entity tags, and gives up an upload
    /// whose parts are wrong.
    async fn check_parts(&self, id: &str, named: &[CompletedPart]) -> S3Result<()> {
        let arrived = self.list_parts(id).await?.output.parts.unwrap_or_default();
        for (index, part) in named.iter().enumerate() {
            let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML, "A part has no number"))?;
            if index > 0 && named[index - 1].part_number >= Some(number) {
                return Err(s3_error!(InvalidPartOrder, "The parts are not in ascending order"));
            }
            let found = arrived.iter().find(|it| it.part_number == Some(number));
            let same = found.filter(|it| part.e_tag.is_none() || part.e_tag == it.e_tag);
            let Some(same) = same else {
                return Err(s3_error!(InvalidPart, "Part {number} was not uploaded, or has another entity tag"));
            };
            if index + 1 < named.len() && same.size < Some(SMALLEST_PART) {
                return Err(s3_error!(EntityTooSmall, "Part {number} is not the last and has less than 5 MiB"));
            }
        }
        if named.is_empty() {
            Err(s3_error!(MalformedXML, "An upload is completed with at least one part"))
        } else {
            Ok(())
        }
    }
}
