//! Deletes of objects and versions, single and in bulk.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition,
    ObjectIdentifier,
};
use s3s::{S3Response, S3Result, s3_error};

use super::catalog::{Removed, VersionId, no_version};
use super::condition::Condition;
use super::settings::malformed;
use super::storage::Storage;

/// The maximum number of objects per request (S3 API Reference, DeleteObjects).
const MOST: usize = 1000;

impl Storage {
    pub(super) fn delete(&self, input: DeleteObjectInput) -> S3Result<S3Response<DeleteObjectOutput>> {
        if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Conditions on size and time need a directory bucket, which the emulator does not support"
            ));
        }
        let version = input.version_id.as_deref().map(VersionId::parse).transpose()?;
        let condition = Condition::of_delete(input.if_match);
        let place = (input.bucket.as_str(), input.key.as_str());
        let removed = self.catalog.remove(place, version.as_ref(), &condition, self.clock.now())?;
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: removed.delete_marker.then_some(true),
            version_id: removed.version.map(|version| version.as_str().to_owned()),
            ..Default::default()
        }))
    }

    pub(super) fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.catalog.check_bucket(&input.bucket)?;
        if input.delete.objects.len() > MOST {
            return Err(malformed());
        }
        let mut deleted = Vec::new();
        let mut errors = Vec::new();
        for object in input.delete.objects {
            match self.delete_one(&input.bucket, &object) {
                Ok(removed) => deleted.push(removed),
                Err(error) => errors.push(s3s::dto::Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: object.version_id,
                }),
            }
        }
        let quiet = input.delete.quiet.unwrap_or(false);
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet && !deleted.is_empty()).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..Default::default()
        }))
    }

    fn delete_one(&self, bucket: &str, object: &ObjectIdentifier) -> S3Result<DeletedObject> {
        // Here S3 returns another code for an impossible id than elsewhere.
        let version = object.version_id.as_deref().map(VersionId::parse).transpose().map_err(|_| no_version())?;
        let condition = Condition::of_delete(object.e_tag.clone().map(ETagCondition::ETag));
        let Removed { version: removed, delete_marker } =
            self.catalog.remove((bucket, &object.key), version.as_ref(), &condition, self.clock.now())?;
        let removed = removed.map(|version| version.as_str().to_owned());
        Ok(DeletedObject {
            delete_marker: delete_marker.then_some(true),
            delete_marker_version_id: removed.filter(|_| delete_marker),
            key: Some(object.key.clone()),
            version_id: object.version_id.clone(),
        })
    }
}
