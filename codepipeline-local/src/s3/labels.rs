//! Tags and ACLs of objects, which change without a new version.

use http::HeaderMap;
use s3s::dto::{
    AccessControlPolicy, DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectAclInput, GetObjectAclOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, PutObjectAclInput, PutObjectAclOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result};

use super::catalog::Labels;
use super::settings::{acl_of_headers, kept_acl, replaced_acl};
use super::storage::Storage;
use super::tags;

impl Labels {
    /// The value of `x-amz-tagging-count`. S3 omits the header for an object without tags.
    pub(super) fn tag_count(&self) -> Option<i32> {
        i32::try_from(self.tags.len()).ok().filter(|count| *count > 0)
    }

    fn tag_set(&self) -> Vec<Tag> {
        let tag = |(key, value): &(String, String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
        self.tags.iter().map(tag).collect()
    }
}

fn kept(tags: &[Tag]) -> Vec<(String, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    tags.iter().map(|tag| (text(&tag.key), text(&tag.value))).collect()
}

impl Storage {
    /// The labels in the headers of a new object.
    pub(super) fn labels(&self, bucket: &str, headers: &HeaderMap) -> S3Result<Labels> {
        let tagging = headers.get("x-amz-tagging").map(|value| String::from_utf8_lossy(value.as_bytes()));
        let tags = tagging.map(|text| tags::of_header(&text)).transpose()?.unwrap_or_default();
        let acl = acl_of_headers(headers, self.settings.acls_off(bucket))?;
        Ok(Labels { tags: kept(&tags), acl })
    }

    pub(super) fn tagging(&self, input: &GetObjectTaggingInput) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let object = self.catalog.get_version(&input.bucket, &input.key, input.version_id.as_deref())?;
        let version_id = self.catalog.shown_version(&object);
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set: object.record.labels.tag_set(), version_id }))
    }

    pub(super) fn put_tagging(&self, input: &PutObjectTaggingInput) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        tags::check(&input.tagging.tag_set, tags::MOST_OF_OBJECT)?;
        let tags = kept(&input.tagging.tag_set);
        let place = (input.bucket.as_str(), input.key.as_str());
        let object = self.catalog.relabel(place, input.version_id.as_deref(), |labels| labels.tags = tags)?;
        Ok(S3Response::new(PutObjectTaggingOutput { version_id: self.catalog.shown_version(&object) }))
    }

    pub(super) fn delete_tagging(
        &self,
        input: &DeleteObjectTaggingInput,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        let place = (input.bucket.as_str(), input.key.as_str());
        let object = self.catalog.relabel(place, input.version_id.as_deref(), |labels| labels.tags.clear())?;
        Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: self.catalog.shown_version(&object) }))
    }

    pub(super) fn acl(&self, input: &GetObjectAclInput) -> S3Result<S3Response<GetObjectAclOutput>> {
        let object = self.catalog.get_version(&input.bucket, &input.key, input.version_id.as_deref())?;
        let AccessControlPolicy { grants, owner } = kept_acl(object.record.labels.acl.as_deref())?;
        Ok(S3Response::new(GetObjectAclOutput { grants, owner, request_charged: None }))
    }

    pub(super) fn put_acl(&self, request: S3Request<PutObjectAclInput>) -> S3Result<S3Response<PutObjectAclOutput>> {
        let input = request.input;
        let acls_off = self.settings.acls_off(&input.bucket);
        let acl = replaced_acl(&request.headers, input.access_control_policy, acls_off)?;
        let place = (input.bucket.as_str(), input.key.as_str());
        self.catalog.relabel(place, input.version_id.as_deref(), |labels| labels.acl = Some(acl))?;
        Ok(S3Response::new(PutObjectAclOutput::default()))
    }
}
