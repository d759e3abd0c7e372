//! Parts copied from objects.

use s3s::dto::{
    CopyPartResult, ETag, Range, ServerSideEncryption, StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::catalog::internal;
use super::super::checksum::give_sums;
use super::super::condition::read_condition;
use super::super::date::date;
use super::super::objects::contents;
use super::super::received::Meter;
use super::super::storage::Storage;
use super::part::{Arriving, check_number, members, write};
use crate::types::Timestamp;

impl Storage {
    pub(in super::super) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = request.input;
        check_number(input.part_number)?;
        let upload = self.open_upload(&input.upload_id, &input.bucket, &input.key)?;
        let source = self.copied(&input.copy_source)?;
        read_condition!(source of input).check_source(&source.record)?;
        source.record.details.check_readable()?;
        let size = source.record.size;
        let (start, length) = match input.copy_source_range.as_deref() {
            Some(range) => copied_span(range, size)?,
            None => (0, size),
        };
        let bytes = contents(source.blob.file(), start, length).await.map_err(internal)?;
        let (bytes, meter) = Meter::around(StreamingBlob::wrap(bytes), upload.plan.checksum_of_object().0);
        let arriving = Arriving::new(&upload);
        write(bytes, &arriving.path).await?;

        let kept = upload.plan.checksum.is_some();
        let part = self.keep_part(input.part_number, &upload, arriving, meter.finish()?, kept)?;
        let mut result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.e_tag)),
            last_modified: Some(date(Timestamp(part.modified_ms))),
            ..Default::default()
        };
        give_sums!(result, members(part.sum.as_ref()));
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: self.catalog.shown_version(&source),
            server_side_encryption: Some(ServerSideEncryption::from(upload.plan.encryption.algorithm.clone())),
            ssekms_key_id: upload.plan.encryption.key_id.clone(),
            ..Default::default()
        }))
    }
}

/// The start and length of the copied range. It needs both ends, within the source (S3 API Reference,
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
