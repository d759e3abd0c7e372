//! Completion of an upload: its parts become an object.

use std::io;
use std::sync::Arc;

use s3s::dto::{
    ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag, PutObjectInput,
    ServerSideEncryption, StreamingBlob, Timestamp as Date, TimestampFormat,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use tokio::task::spawn_blocking;

use super::super::blob::{BUCKET, KEY};
use super::super::catalog::{Record, internal};
use super::super::checksum::{Kind, Sum, e_tag_of_parts, give_sums, take_sums};
use super::super::condition::Condition;
use super::super::details::{Details, ObjectPart, ObjectSum};
use super::super::storage::{Storage, own_request};
use super::folder::{Attributes, Part, Plan, Upload};
use super::join::join;
use super::part::check_number;

/// The minimum size of each part except the last (S3 User Guide, "Amazon S3 multipart upload limits").
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// The parts of the object, in order.
type Chosen = Vec<(i32, Part)>;

impl Storage {
    pub(in super::super) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let mut input = request.input;
        let condition = Condition::of_write(input.if_match.take(), input.if_none_match.take())?;
        let declared = Sum::only(take_sums!(input))?;
        let (bucket, key) = (input.bucket, input.key);
        self.catalog.check_bucket(&bucket)?;
        // A failure after this leaves the upload unchanged.
        let taken = self.uploads.take(&input.upload_id, &bucket, &key)?;
        let plan = &taken.upload.plan;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let chosen = choose(&taken.upload, &named)?;
        check_type(plan, input.checksum_type.as_ref())?;
        check_size(&chosen, input.mpu_object_size)?;
        // An early check. The commit checks the condition again.
        let current = self.catalog.get(&bucket, &key).ok();
        condition.check(current.as_ref().map(|object| object.record.e_tag.as_str()))?;

        let (algorithm, kind) = plan.checksum_of_object();
        let blob = Arc::new(self.catalog.new_blob().map_err(internal)?);
        // The store would calculate an MD5 hash of all bytes that no response contains. So it gets only the attributes.
        blob.store().put_object(own_request(plan.attributes.put(StreamingBlob::from(Body::empty())))).await?;
        let parts: Vec<_> = chosen.iter().map(|(_, part)| (taken.upload.path(&part.bytes), part.size)).collect();
        let size = parts.iter().map(|(_, size)| size).sum();
        let (into, hashed) = (blob.file(), (kind == Kind::FullObject).then_some(algorithm));
        let joined = spawn_blocking(move || join(&parts, &into, hashed)).await;
        let composite = || Sum::composite(algorithm, chosen.iter().filter_map(|(_, part)| part.sum.as_ref()));
        let sum = joined.map_err(io::Error::from).flatten().map_err(internal)?.unwrap_or_else(composite);
        check_sum(declared, &sum)?;

        let e_tag = e_tag_of_parts(chosen.iter().map(|(_, part)| part.e_tag.as_str()));
        let sum_of = |part: Part| part.sum.filter(|_| plan.checksum.is_some());
        let part = |(number, part): (i32, Part)| ObjectPart { number, size: part.size, sum: sum_of(part) };
        let details = Details {
            checksum: Some(ObjectSum { sum, kind }),
            storage_class: plan.storage_class.clone(),
            parts: chosen.into_iter().map(part).collect(),
            upload_id: Some(input.upload_id),
        };
        let sums = details.sums();
        let encryption = plan.encryption.clone();
        let now = self.clock.now();
        let record = Record::new((&bucket, &key), e_tag.clone(), size, now, encryption.clone());
        let mut record = record.with(details);
        record.labels.clone_from(&plan.labels);
        let object = self.catalog.commit(record, blob, &condition)?;
        // If the emulator is killed here, its next start removes the upload.
        taken.end().map_err(internal)?;

        let mut output = CompleteMultipartUploadOutput {
            location: Some(format!("/{bucket}/{key}")),
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(ETag::Strong(e_tag)),
            version_id: self.catalog.shown_version(&object),
            checksum_type: sums.checksum_type.clone(),
            server_side_encryption: Some(ServerSideEncryption::from(encryption.algorithm)),
            ssekms_key_id: encryption.key_id,
            ..Default::default()
        };
        give_sums!(output, sums);
        Ok(S3Response::new(output))
    }
}

impl Attributes {
    /// The request that stores these attributes and this body in a blob.
    fn put(&self, body: StreamingBlob) -> PutObjectInput {
        let expires = self.expires.as_deref().and_then(|it| Date::parse(TimestampFormat::DateTime, it).ok());
        PutObjectInput {
            bucket: BUCKET.into(),
            key: KEY.into(),
            body: Some(body),
            metadata: self.metadata.clone().map(|metadata| metadata.into_iter().collect()),
            content_type: self.content_type.clone(),
            content_encoding: self.content_encoding.clone(),
            content_disposition: self.content_disposition.clone(),
            content_language: self.content_language.clone(),
            cache_control: self.cache_control.clone(),
            expires,
            website_redirect_location: self.website_redirect_location.clone(),
            ..Default::default()
        }
    }
}

/// The named parts. Returns an error if the upload can't be completed with them.
fn choose(upload: &Upload, named: &[CompletedPart]) -> S3Result<Chosen> {
    let arrived = upload.parts();
    let mut chosen = Chosen::new();
    if !named.is_sorted_by(|left, right| left.part_number < right.part_number) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order. The parts list must be specified in order by part number."
        ));
    }
    for (index, part) in named.iter().enumerate() {
        let number = part.part_number.ok_or_else(malformed)?;
        check_number(number)?;
        let same = |it: &&Part| part.e_tag.as_ref().is_none_or(|e_tag| e_tag.value() == it.e_tag);
        let found = arrived.get(&number).filter(same).ok_or_else(no_part)?;
        check_part_sum(&upload.plan, number, part, found)?;
        if index + 1 < named.len() && found.size < SMALLEST_PART {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        chosen.push((number, found.clone()));
    }
    if chosen.is_empty() { Err(malformed()) } else { Ok(chosen) }
}

fn malformed() -> S3Error {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    S3Error::with_message(S3ErrorCode::MalformedXML, message)
}

fn no_part() -> S3Error {
    let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
                   entity tag may not match the part's entity tag.";
    S3Error::with_message(S3ErrorCode::InvalidPart, message)
}

/// Checks the checksum of a part. A composite checksum needs one for every part.
fn check_part_sum(plan: &Plan, number: i32, named: &CompletedPart, found: &Part) -> S3Result<()> {
    let sums = Sum::all(take_sums!(named.clone()));
    let expected = plan.checksum.map(|(algorithm, kind)| (algorithm, kind == Kind::Composite));
    let declared = match expected {
        Some((algorithm, _)) => sums.iter().find(|sum| sum.algorithm == algorithm),
        None => sums.iter().find(|sum| found.sum.as_ref().is_some_and(|found| found.algorithm == sum.algorithm)),
    };
    match (declared, sums.first(), expected) {
        (Some(declared), ..) if found.sum.as_ref() == Some(declared) => Ok(()),
        (Some(_), ..) => Err(no_part()),
        (None, Some(other), Some(_)) => {
            let name = other.algorithm.name().to_ascii_lowercase();
            let message = format!("The {name} you specified for part {number} did not match what we received");
            Err(S3Error::with_message(S3ErrorCode::BadDigest, message))
        }
        (None, None, Some((algorithm, true))) => {
            let name = algorithm.name().to_ascii_lowercase();
            let message = format!(
                "The upload was created using a {name} checksum. The complete request must include the checksum for each part. It \
                 was missing for part {number} in the request."
            );
            Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
        }
        (None, ..) => Ok(()),
    }
}

fn check_type(plan: &Plan, declared: Option<&ChecksumType>) -> S3Result<()> {
    let kind = plan.checksum_of_object().1.name();
    if declared.is_none_or(|declared| declared.as_str() == kind) {
        return Ok(());
    }
    let message = format!(
        "The upload was created using the {kind} checksum mode. The complete request must use the same checksum mode."
    );
    Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
}

fn check_size(chosen: &Chosen, declared: Option<i64>) -> S3Result<()> {
    let size: u64 = chosen.iter().map(|(_, part)| part.size).sum();
    match declared {
        Some(declared) if u64::try_from(declared) != Ok(size) => {
            let message = format!(
                "The provided 'x-amz-mp-object-size' header value {declared} does not match what was computed: {size}"
            );
            Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}

/// Checks the checksum of the whole object. A composite checksum may lack the number of parts.
fn check_sum(declared: Option<Sum>, sum: &Sum) -> S3Result<()> {
    let Some(declared) = declared else { return Ok(()) };
    declared.check_form()?;
    let without_number = sum.value.split_once('-').map(|(value, _)| value);
    let same = declared.value == sum.value || Some(declared.value.as_str()) == without_number;
    if declared.algorithm == sum.algorithm && same {
        return Ok(());
    }
    let name = declared.algorithm.name().to_ascii_lowercase();
    let message = format!("The {name} you specified did not match the calculated checksum.");
    Err(S3Error::with_message(S3ErrorCode::BadDigest, message))
}
