//! Encryption of uploads: the headers that an artifact store requires, and the key that a job must name.

use s3s::dto::{ServerSideEncryption, ServerSideEncryptionConfiguration};
use s3s::xml::{Deserialize, Deserializer};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::access::JobCaller;
use super::catalog::Encryption;
use super::settings::BucketSettings;
use super::storage::Storage;

/// The requested encryption: the algorithm and the key's id.
pub(super) type RequestedEncryption = (Option<ServerSideEncryption>, Option<String>);

impl Storage {
    /// The encryption of an upload. Returns an error if the bucket does not allow it. `job` is set if a job signed
    /// the request.
    pub(super) fn encryption(
        &self,
        bucket: &str,
        job: Option<JobCaller>,
        (algorithm, key_id): RequestedEncryption,
    ) -> S3Result<Encryption> {
        let named = algorithm.as_ref().map(ServerSideEncryption::as_str);
        let kms = named == Some(ServerSideEncryption::AWS_KMS);
        if !matches!(
            named,
            None | Some(
                ServerSideEncryption::AES256 | ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE
            )
        ) {
            return Err(s3_error!(InvalidArgument, "The encryption method specified is not supported"));
        }
        let demanded =
            !self.accept_unencrypted_uploads && (job.is_some() || self.permissions.is_artifact_store(bucket));
        if demanded && !kms {
            let message = format!(
                "An upload into the artifact store {bucket} must have the header x-amz-server-side-encryption: aws:kms, and \
                 this one has {}: the policy of an artifact bucket denies it",
                named.unwrap_or("none")
            );
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        }
        if key_id.is_some() && !named.is_some_and(|named| named.starts_with("aws:kms")) {
            let message = "x-amz-server-side-encryption-aws-kms-key-id needs x-amz-server-side-encryption: aws:kms";
            return Err(s3_error!(InvalidArgument, "{}", message));
        }
        if let (Some(demanded), true) = (job.and_then(|job| job.encryption_key), kms)
            && key_id.as_deref().map(key_name) != Some(key_name(&demanded))
        {
            let message = format!(
                "The artifact store {bucket} has the encryption key {demanded}, and a job may write with that key only: this \
                 upload's x-amz-server-side-encryption-aws-kms-key-id is {}",
                key_id.as_deref().unwrap_or("missing")
            );
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        }
        match named {
            Some(named) => Ok(Encryption { algorithm: named.to_owned(), key_id }),
            None => Ok(self.settings.default_encryption(bucket)),
        }
    }
}

impl BucketSettings {
    /// The encryption of an upload that requests none: the default of the bucket, or S3-managed keys (S3 User Guide,
    /// "Setting default server-side encryption behavior for Amazon S3 buckets").
    fn default_encryption(&self, bucket: &str) -> Encryption {
        let kept = self.get(bucket, "encryption").and_then(|xml| {
            let mut deserializer = Deserializer::new(xml.as_bytes());
            ServerSideEncryptionConfiguration::deserialize(&mut deserializer).ok()
        });
        let rule = kept.and_then(|kept| kept.rules.into_iter().next());
        let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default);
        match default {
            Some(default) => {
                Encryption { algorithm: default.sse_algorithm.as_str().to_owned(), key_id: default.kms_master_key_id }
            }
            None => Encryption { algorithm: ServerSideEncryption::AES256.to_owned(), key_id: None },
        }
    }
}

/// The part that an ARN, a bare id and an alias of a key have in common: `key/ID` and `ID` name the same key.
fn key_name(id: &str) -> &str {
    let resource = if id.starts_with("arn:") { id.splitn(6, ':').last().unwrap_or(id) } else { id };
    resource.strip_prefix("key/").unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_arn_and_bare_id_name_the_same_key() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(key_name(id), key_name(&format!("arn:aws:kms:us-east-1:123456789012:key/{id}")));
        assert_eq!(key_name("alias/a"), key_name("arn:aws:kms:us-east-1:123456789012:alias/a"));
        assert_ne!(key_name("alias/a"), key_name("a"));
    }
}
