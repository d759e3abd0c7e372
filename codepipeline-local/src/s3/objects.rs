//! Operations on objects: put, get, head and copy.

use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use http::HeaderValue;
use s3s::dto::{
    ChecksumAlgorithm, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, MetadataDirective, PutObjectInput, PutObjectOutput,
    ServerSideEncryption, StreamingBlob, TaggingDirective,
};
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::blob::{BUCKET, KEY};
use super::catalog::{Object, Record, internal};
use super::checksum::{Algorithm, Sum, give_sums, take_sums};
use super::condition::{Condition, read_condition};
use super::date::date;
use super::details::{Class, Details};
use super::reading::{Reading, give_reading};
use super::received::{Declared, Meter};
use super::storage::{Storage, job_caller};

/// The size of reads from a file.
const READ_SIZE: usize = 256 * 1024;

impl Storage {
    pub(super) async fn put(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let job = job_caller(&request.extensions);
        let input = &mut request.input;
        self.catalog.check_bucket(&input.bucket)?;
        let bucket = std::mem::replace(&mut input.bucket, BUCKET.into());
        let key = std::mem::replace(&mut input.key, KEY.into());
        let condition = Condition::of_write(input.if_match.take(), input.if_none_match.take())?;
        let asked = (input.server_side_encryption.take(), input.ssekms_key_id.take());
        let encryption = self.encryption(&bucket, job, asked)?;
        let labels = self.labels(&bucket, &request.headers)?;
        let storage_class = Class::of(input.storage_class.take().as_ref())?;
        let declared = Declared::of(&request.headers, take_sums!(input), input.content_md5.take().as_deref())?;
        input.checksum_algorithm = None;
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, meter) = Meter::around(body, declared.algorithm().unwrap_or(Algorithm::Crc64Nvme));
        input.body = Some(body);
        let trailers = request.trailing_headers.take();

        let blob = Arc::new(self.catalog.new_blob().map_err(internal)?);
        let mut response = blob.store().put_object(request).await?;
        let received = meter.finish()?;
        declared.check(&received, trailers.as_ref())?;
        let (e_tag, size) = (received.e_tag(), received.size);
        let details = Details::of_whole(received.sum, storage_class);
        let sums = details.sums();
        let mut record = Record::new((&bucket, &key), e_tag, size, self.clock.now(), encryption.clone()).with(details);
        record.labels = labels;
        let object = self.catalog.commit(record, blob, &condition)?;

        response.output.version_id = self.catalog.shown_version(&object);
        response.output.checksum_type = sums.checksum_type.clone();
        give_sums!(response.output, sums);
        response.output.server_side_encryption = Some(ServerSideEncryption::from(encryption.algorithm));
        response.output.ssekms_key_id = encryption.key_id;
        Ok(response)
    }

    pub(super) async fn get(&self, mut request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &mut request.input;
        let object = self.catalog.get_version(&input.bucket, &input.key, input.version_id.as_deref())?;
        read_condition!(input).check(&object.record)?;
        input.bucket = BUCKET.into();
        input.key = KEY.into();
        object.record.details.check_readable()?;
        let (range, part) = (input.range.take(), input.part_number.take());
        let reading = Reading::of(&object.record, range, part, input.checksum_mode.as_ref())?;

        let mut response = object.blob.store().get_object(request).await?;
        let output = &mut response.output;
        let encryption = object.record.encryption.clone();
        output.server_side_encryption = Some(ServerSideEncryption::from(encryption.algorithm));
        output.ssekms_key_id = encryption.key_id;
        output.version_id = self.catalog.shown_version(&object);
        output.e_tag = Some(ETag::Strong(object.record.e_tag.clone()));
        output.last_modified = Some(date(object.record.modified()));
        output.accept_ranges = Some("bytes".into());
        output.tag_count = object.record.labels.tag_count();
        // The store's own body reads 4 KiB at a time, each on another thread.
        let body = contents(object.blob.file(), reading.start, reading.length).await.map_err(internal)?;
        output.body = Some(StreamingBlob::wrap(body));
        give_reading!(output, reading, object.record.details);
        Ok(response)
    }

    pub(super) async fn head(&self, mut request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &mut request.input;
        let object = self.catalog.get_version(&input.bucket, &input.key, input.version_id.as_deref())?;
        read_condition!(input).check(&object.record)?;
        input.bucket = BUCKET.into();
        input.key = KEY.into();
        let (range, part) = (input.range.take(), input.part_number.take());
        let reading = Reading::of(&object.record, range, part, input.checksum_mode.as_ref())?;

        let mut response = object.blob.store().head_object(request).await?;
        let output = &mut response.output;
        let encryption = object.record.encryption.clone();
        output.server_side_encryption = Some(ServerSideEncryption::from(encryption.algorithm));
        output.ssekms_key_id = encryption.key_id;
        output.version_id = self.catalog.shown_version(&object);
        output.e_tag = Some(ETag::Strong(object.record.e_tag.clone()));
        output.last_modified = Some(date(object.record.modified()));
        output.accept_ranges = Some("bytes".into());
        give_reading!(response.output, reading, object.record.details);
        if let Some(count) = object.record.labels.tag_count() {
            response.headers.insert("x-amz-tagging-count", HeaderValue::from(count));
        }
        Ok(response)
    }

    pub(super) async fn copy_by_request(
        &self,
        mut request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let job = job_caller(&request.extensions);
        let input = &mut request.input;
        let source = self.copied(&input.copy_source)?;
        read_condition!(source of input).check_source(&source.record)?;
        check_change(input)?;
        source.record.details.check_readable()?;
        let storage_class = Class::of(input.storage_class.as_ref())?;
        let measured = self.measured(&source, input.checksum_algorithm.as_ref()).await?;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let condition = Condition::of_headers(&request.headers)?;
        let asked = (input.server_side_encryption.take(), input.ssekms_key_id.take());
        let encryption = self.encryption(&bucket, job, asked)?;

        let mut labels = self.labels(&bucket, &request.headers)?;
        let directive = input.tagging_directive.as_ref().map(TaggingDirective::as_str);
        if directive != Some(TaggingDirective::REPLACE) {
            labels.tags.clone_from(&source.record.labels.tags);
        }

        let blob = self.catalog.new_blob().map_err(internal)?;
        blob.fill_from(&source.blob).map_err(internal)?;
        let replace = input.metadata_directive.as_ref().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
        if replace {
            blob.replace_attributes(request).await?;
        }
        let now = self.clock.now();
        let (e_tag, sum) = measured;
        let details = Details::of_whole(sum, storage_class);
        let sums = details.sums();
        let mut record = Record::new((&bucket, &key), e_tag.clone(), source.record.size, now, encryption.clone());
        record.labels = labels;
        let object = self.catalog.commit(record.with(details), Arc::new(blob), &condition)?;
        let mut result = CopyObjectResult {
            e_tag: Some(ETag::Strong(e_tag)),
            last_modified: Some(date(now)),
            checksum_type: sums.checksum_type.clone(),
            ..Default::default()
        };
        give_sums!(result, sums);
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            version_id: self.catalog.shown_version(&object),
            copy_source_version_id: self.catalog.shown_version(&source),
            server_side_encryption: Some(ServerSideEncryption::from(encryption.algorithm)),
            ssekms_key_id: encryption.key_id,
            ..Default::default()
        }))
    }

    /// The source object of a copy.
    pub(super) fn copied(&self, source: &CopySource) -> S3Result<Arc<Object>> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(NotImplemented, "The emulator does not support copies from access points"));
        };
        let found = self.catalog.get_version(bucket, key, version_id.as_deref());
        found.map_err(|error| match error.code() {
            S3ErrorCode::MethodNotAllowed => s3_error!(
                InvalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id."
            ),
            _ => error,
        })
    }

    /// The entity tag and the checksum of a copy. A copy is a single upload: both cover all bytes, even if the source
    /// was uploaded in parts (S3 User Guide, "Checking object integrity in Amazon S3").
    async fn measured(&self, source: &Object, asked: Option<&ChecksumAlgorithm>) -> S3Result<(String, Sum)> {
        let asked = asked.map(|it| Algorithm::of(it.as_str())).transpose()?;
        let details = &source.record.details;
        let kept = details.checksum.as_ref().map(|checksum| &checksum.sum);
        let algorithm = asked.or(kept.map(|sum| sum.algorithm)).unwrap_or(Algorithm::Crc64Nvme);
        if let Some(sum) = kept.filter(|sum| sum.algorithm == algorithm && details.parts.is_empty()) {
            return Ok((source.record.e_tag.clone(), sum.clone()));
        }
        let bytes = contents(source.blob.file(), 0, source.record.size).await.map_err(internal)?;
        let received = Meter::measure(StreamingBlob::wrap(bytes), algorithm).await?;
        Ok((received.e_tag(), received.sum))
    }

    /// The attributes of an object, as HEAD returns them.
    pub(super) async fn attributes(&self, object: &Object) -> S3Result<HeadObjectOutput> {
        let input = HeadObjectInput { bucket: BUCKET.into(), key: KEY.into(), ..Default::default() };
        Ok(object.blob.store().head_object(super::storage::own_request(input)).await?.output)
    }
}

/// Checks that a copy of an object onto itself changes it. Naming the version makes it the latest (S3 API Reference,
/// CopyObject).
fn check_change(input: &CopyObjectInput) -> S3Result<()> {
    let CopySource::Bucket { bucket, key, version_id: None } = &input.copy_source else { return Ok(()) };
    let replaces = |directive: Option<&str>| directive == Some(MetadataDirective::REPLACE);
    let changes = replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str))
        || replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str))
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || input.server_side_encryption.is_some()
        || input.checksum_algorithm.is_some();
    if changes || (&**bucket, &**key) != (input.bucket.as_str(), input.key.as_str()) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, \
         storage class, website redirect location or encryption attributes."
    ))
}

/// The bytes of a file from `start` on. The file is opened at once, so it stays readable after its removal.
pub(super) async fn contents(
    path: PathBuf,
    start: u64,
    length: u64,
) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(start)).await?;
    Ok(stream::try_unfold((file, length), async |(mut file, left)| {
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(READ_SIZE);
        let mut buffer = BytesMut::with_capacity(wanted);
        let read = (&mut file).take(wanted as u64).read_buf(&mut buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((buffer.freeze(), (file, left - read as u64))))
    }))
}
