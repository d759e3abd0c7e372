//! Begin and abort of uploads.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ServerSideEncryption,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::super::catalog::internal;
use super::super::checksum::{Algorithm, Kind};
use super::super::details::Class;
use super::super::storage::{Storage, job_caller};
use super::folder::{Attributes, Plan};

impl Storage {
    pub(in super::super) fn begin_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let job = job_caller(&request.extensions);
        let mut input = request.input;
        self.catalog.check_bucket(&input.bucket)?;
        let asked = (input.server_side_encryption.take(), input.ssekms_key_id.take());
        let encryption = self.encryption(&input.bucket, job, asked)?;
        let storage_class = Class::of(input.storage_class.as_ref())?;
        let checksum = checksum(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        let labels = self.labels(&input.bucket, &request.headers)?;
        let attributes = Attributes::of(&mut input);
        let (bucket, key) = (input.bucket, input.key);

        let now = self.clock.now();
        let plan = Plan {
            bucket: bucket.clone(),
            key: key.clone(),
            begun_ms: now.0,
            encryption: encryption.clone(),
            storage_class,
            checksum,
            attributes,
            labels,
        };
        let id = self.uploads.begin(plan, now).map_err(internal)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            upload_id: Some(id),
            checksum_algorithm: checksum.map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: checksum.map(|(_, kind)| kind.answered()),
            server_side_encryption: Some(ServerSideEncryption::from(encryption.algorithm)),
            ssekms_key_id: encryption.key_id,
            ..Default::default()
        }))
    }

    pub(in super::super) fn abort_upload(
        &self,
        request: &S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = &request.input;
        self.catalog.check_bucket(&input.bucket)?;
        self.uploads.take(&input.upload_id, &input.bucket, &input.key)?.end().map_err(internal)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// The checksum of a new upload. SHA checksums of parts can't be combined into one of the whole object, and CRC64NVME
/// covers only the whole object (S3 User Guide, "Checking object integrity in Amazon S3").
fn checksum(algorithm: Option<&ChecksumAlgorithm>, kind: Option<&ChecksumType>) -> S3Result<Option<(Algorithm, Kind)>> {
    let kind = match kind.map(ChecksumType::as_str) {
        None => None,
        Some(ChecksumType::COMPOSITE) => Some(Kind::Composite),
        Some(ChecksumType::FULL_OBJECT) => Some(Kind::FullObject),
        Some(_) => return Err(s3_error!(InvalidRequest, "Value for x-amz-checksum-type header is invalid.")),
    };
    let Some(algorithm) = algorithm else {
        let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
        return if kind.is_some() { Err(s3_error!(InvalidRequest, "{}", message)) } else { Ok(None) };
    };
    let algorithm = Algorithm::of(algorithm.as_str())?;
    let kind = match (algorithm, kind) {
        (Algorithm::Crc64Nvme, None) => Kind::FullObject,
        (_, None) => Kind::Composite,
        (Algorithm::Sha1 | Algorithm::Sha256, Some(kind @ Kind::FullObject))
        | (Algorithm::Crc64Nvme, Some(kind @ Kind::Composite)) => {
            let (kind, name) = (kind.name(), algorithm.name().to_ascii_lowercase());
            let message = format!("The {kind} checksum type cannot be used with the {name} checksum algorithm.");
            return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
        }
        (_, Some(kind)) => kind,
    };
    Ok(Some((algorithm, kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_its_checksum_types() {
        let of = |algorithm: &str, kind: Option<&str>| {
            let kind = kind.map(|kind| ChecksumType::from(kind.to_owned()));
            checksum(Some(&ChecksumAlgorithm::from(algorithm.to_owned())), kind.as_ref()).map(|it| it.unwrap().1)
        };
        for algorithm in ["CRC32", "CRC32C"] {
            assert_eq!(of(algorithm, None).unwrap(), Kind::Composite);
            assert_eq!(of(algorithm, Some("COMPOSITE")).unwrap(), Kind::Composite);
            assert_eq!(of(algorithm, Some("FULL_OBJECT")).unwrap(), Kind::FullObject);
        }
        for algorithm in ["SHA1", "SHA256"] {
            assert_eq!(of(algorithm, None).unwrap(), Kind::Composite);
            assert!(of(algorithm, Some("FULL_OBJECT")).is_err());
        }
        assert_eq!(of("CRC64NVME", None).unwrap(), Kind::FullObject);
        assert!(of("CRC64NVME", Some("COMPOSITE")).is_err());
        assert!(of("MD5", None).is_err());
        assert!(of("CRC32", Some("composite")).is_err());
        assert!(checksum(None, Some(&ChecksumType::from_static("COMPOSITE"))).is_err());
    }
}
