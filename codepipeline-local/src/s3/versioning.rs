//! PutBucketVersioning and GetBucketVersioning.

use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, MFADelete, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};
use s3s::{S3Response, S3Result, s3_error};

use super::catalog::Versioning;
use super::storage::Storage;

impl Storage {
    pub(super) fn put_versioning(
        &self,
        input: PutBucketVersioningInput,
    ) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        self.catalog.check_bucket(&input.bucket)?;
        let configuration = input.versioning_configuration;
        match configuration.mfa_delete.as_ref().map(MFADelete::as_str) {
            None | Some("" | "Disabled") => {}
            Some(MFADelete::ENABLED) => {
                return Err(s3_error!(NotImplemented, "The emulator does not support MFA delete: leave out MfaDelete"));
            }
            Some(_) => return Err(s3_error!(MalformedXML, "MfaDelete must be Enabled or Disabled")),
        }
        let versioning = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            None | Some("") => {
                let message = "The Versioning element must be specified";
                return Err(s3_error!(IllegalVersioningConfigurationException, "{}", message));
            }
            Some(_) => return Err(s3_error!(MalformedXML, "Status must be Enabled or Suspended")),
        };
        self.catalog.set_versioning(&input.bucket, versioning)?;
        Ok(S3Response::new(PutBucketVersioningOutput::default()))
    }

    pub(super) fn get_versioning(
        &self,
        input: &GetBucketVersioningInput,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let status = self.catalog.versioning(&input.bucket)?.map(|versioning| match versioning {
            Versioning::Enabled => BucketVersioningStatus::ENABLED,
            Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
        });
        let status = status.map(BucketVersioningStatus::from_static);
        Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
    }
}
