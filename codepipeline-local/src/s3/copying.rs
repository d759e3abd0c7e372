//! Copies for S3 source actions.

use std::sync::Arc;

use s3s::dto::ServerSideEncryption;
use s3s::{S3Error, S3ErrorCode};

use super::catalog::{self, Encryption, Record};
use super::condition;
use super::store::{Store, version_id};
use crate::types::ObjectRef;

/// The user metadata with the summary of a revision (CodePipeline User Guide, "Amazon S3 source action").
const REVISION_SUMMARY: &str = "codepipeline-artifact-revision-summary";

/// A copied object.
pub(crate) struct Copied {
    /// The entity tag, without quotes.
    pub(crate) e_tag: String,
    /// The object's version id; `None` if it has no id of its own.
    pub(crate) version_id: Option<String>,
    /// The object's metadata `codepipeline-artifact-revision-summary`.
    pub(crate) revision_summary: Option<String>,
}

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The bucket or object does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The data folder could not be used.
    #[error("{0}")]
    Failed(String),
}

impl Store {
    /// Copies an object for an S3 source action. The copy names `aws:kms` and this key as its encryption.
    pub(crate) async fn copy(
        &self,
        (from, version): (&ObjectRef, Option<&str>),
        to: &ObjectRef,
        key_id: Option<String>,
    ) -> Result<Copied, CopyError> {
        let copied = async {
            let catalog = &self.storage.catalog;
            let source = catalog.get_version(&from.bucket, &from.key, version)?;
            let mut metadata = self.storage.attributes(&source).await?.metadata.unwrap_or_default();
            let blob = catalog.new_blob().map_err(catalog::internal)?;
            blob.fill_from(&source.blob).map_err(catalog::internal)?;
            let encryption = Encryption { algorithm: ServerSideEncryption::AWS_KMS.to_owned(), key_id };
            let e_tag = source.record.e_tag.clone();
            let place = (to.bucket.as_str(), to.key.as_str());
            let now = self.storage.clock.now();
            source.record.details.check_readable()?;
            let details = source.record.details.copied();
            let record = Record::new(place, e_tag.clone(), source.record.size, now, encryption).with(details);
            catalog.commit(record, Arc::new(blob), &condition::Condition::default())?;
            Ok(Copied { e_tag, version_id: version_id(&source), revision_summary: metadata.remove(REVISION_SUMMARY) })
        };
        copied.await.map_err(|error: S3Error| match error.code() {
            S3ErrorCode::NoSuchBucket | S3ErrorCode::NoSuchKey | S3ErrorCode::NoSuchVersion => {
                CopyError::NotFound(format!(
                    "s3://{}/{} to s3://{}/{}: {}",
                    from.bucket,
                    from.key,
                    to.bucket,
                    to.key,
                    error.code().as_str()
                ))
            }
            _ => CopyError::Failed(error.message().unwrap_or("the data folder failed").to_owned()),
        })
    }
}
