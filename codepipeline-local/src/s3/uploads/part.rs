//! Receipt and listing of parts.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use s3s::dto::{
    Checksum as Sums, ChecksumAlgorithm, ETag, ListPartsInput, ListPartsOutput, Part as ListedPart,
    ServerSideEncryption, StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::super::catalog::internal;
use super::super::checksum::{Kind, Sum, give_sums, take_sums};
use super::super::date::date;
use super::super::received::{Declared, Meter, Received};
use super::super::storage::Storage;
use super::folder::{Part, Plan, Upload};
use crate::types::Timestamp;

/// The maximum number of parts per page (S3 API Reference, ListParts).
const PARTS_PAGE: i32 = 1000;

/// The buffer size of writes.
const WRITE_SIZE: usize = 256 * 1024;

impl Storage {
    /// The upload. Returns `NoSuchBucket` if its bucket is missing, and `NoSuchUpload` if the upload is.
    pub(super) fn open_upload(&self, id: &str, bucket: &str, key: &str) -> S3Result<Arc<Upload>> {
        self.catalog.check_bucket(bucket)?;
        self.uploads.get(id, bucket, key)
    }

    pub(in super::super) async fn put_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        let number = input.part_number;
        check_number(number)?;
        let upload = self.open_upload(&input.upload_id, &input.bucket, &input.key)?;
        let declared = Declared::of(&request.headers, take_sums!(input), input.content_md5.as_deref())?;
        check_algorithm(&upload.plan, &declared)?;

        let algorithm = declared.algorithm().unwrap_or(upload.plan.checksum_of_object().0);
        let body = input.body.ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, meter) = Meter::around(body, algorithm);
        let arriving = Arriving::new(&upload);
        write(body, &arriving.path).await?;
        let received = meter.finish()?;
        declared.check(&received, request.trailing_headers.as_ref())?;

        // Keep the checksum if the upload has an algorithm, or the client sent one.
        let kept = upload.plan.checksum.is_some() || declared.algorithm().is_some();
        let part = self.keep_part(number, &upload, arriving, received, kept)?;
        let mut output = UploadPartOutput {
            e_tag: Some(ETag::Strong(part.e_tag)),
            server_side_encryption: Some(ServerSideEncryption::from(upload.plan.encryption.algorithm.clone())),
            ssekms_key_id: upload.plan.encryption.key_id.clone(),
            ..Default::default()
        };
        give_sums!(output, members(part.sum.as_ref()));
        Ok(S3Response::new(output))
    }

    pub(super) fn keep_part(
        &self,
        number: i32,
        upload: &Upload,
        arriving: Arriving,
        received: Received,
        keep_sum: bool,
    ) -> S3Result<Part> {
        let part = Part {
            bytes: arriving.name.clone(),
            size: received.size,
            e_tag: received.e_tag(),
            sum: keep_sum.then_some(received.sum),
            modified_ms: self.clock.now().0,
        };
        upload.put(number, part.clone())?;
        arriving.keep();
        Ok(part)
    }

    pub(in super::super) fn parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.open_upload(&input.upload_id, &input.bucket, &input.key)?;
        let limit = input.max_parts.unwrap_or(PARTS_PAGE).clamp(0, PARTS_PAGE);
        let after = input.part_number_marker.unwrap_or(0);
        let mut parts: Vec<_> = upload.parts().into_iter().filter(|(number, _)| *number > after).collect();
        let truncated = parts.len() > usize::try_from(limit).unwrap_or(0);
        parts.truncate(usize::try_from(limit).unwrap_or(0));
        let plan = &upload.plan;
        Ok(S3Response::new(ListPartsOutput {
            next_part_number_marker: Some(parts.last().map_or(after, |(number, _)| *number)),
            parts: Some(parts.into_iter().map(|(number, part)| listed(plan, number, part)).collect()),
            part_number_marker: Some(after),
            max_parts: Some(limit),
            is_truncated: Some(truncated),
            checksum_algorithm: plan.checksum.map(|(it, _)| ChecksumAlgorithm::from_static(it.name())),
            checksum_type: plan.checksum.map(|(_, kind)| kind.answered()),
            storage_class: Some(plan.storage_class.always_answered()),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            ..Default::default()
        }))
    }
}

/// Returns an error if the part number is out of range.
pub(super) fn check_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
}

/// Checks that the part's checksum has the algorithm of the upload. A composite checksum needs one for each part (S3
/// User Guide, "Checking object integrity in Amazon S3").
fn check_algorithm(plan: &Plan, declared: &Declared) -> S3Result<()> {
    let Some((expected, kind)) = plan.checksum else { return Ok(()) };
    let actual = match declared.algorithm() {
        Some(actual) if actual == expected => return Ok(()),
        None if kind == Kind::FullObject => return Ok(()),
        actual => actual.map_or("null", |actual| actual.name()),
    };
    let message = format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        expected.name().to_ascii_lowercase(),
        actual.to_ascii_lowercase()
    );
    Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
}

pub(super) fn members(sum: Option<&Sum>) -> Sums {
    sum.map(Sum::members).unwrap_or_default()
}

fn listed(plan: &Plan, number: i32, part: Part) -> ListedPart {
    let mut listed = ListedPart {
        part_number: Some(number),
        size: i64::try_from(part.size).ok(),
        e_tag: Some(ETag::Strong(part.e_tag)),
        last_modified: Some(date(Timestamp(part.modified_ms))),
        ..Default::default()
    };
    give_sums!(listed, members(part.sum.as_ref().filter(|_| plan.checksum.is_some())));
    listed
}

/// The file of a part in transfer. Dropping it removes the file, unless the part is kept.
pub(super) struct Arriving {
    name: String,
    pub(super) path: PathBuf,
    kept: bool,
}

impl Arriving {
    pub(super) fn new(upload: &Upload) -> Self {
        let name = upload.new_bytes();
        Self { path: upload.path(&name), name, kept: false }
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.kept {
            // The next start removes what remains, because no record names it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a body into a new file.
pub(super) async fn write(mut body: StreamingBlob, path: &PathBuf) -> S3Result<()> {
    let mut file = BufWriter::with_capacity(WRITE_SIZE, File::create_new(path).await.map_err(internal)?);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, error))?;
        file.write_all(&bytes).await.map_err(internal)?;
    }
    file.flush().await.map_err(internal)
}
