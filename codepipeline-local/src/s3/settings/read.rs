//! Parsing and writing of settings.

use s3s::dto::{
    BucketLifecycleConfiguration, NotificationConfiguration, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration,
};
use s3s::xml::{Deserialize, Deserializer, SerializeContent, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::input::SettingInput;
use crate::ids::random_uuid;

/// The namespace of S3's XML.
pub(super) const XMLNS: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Parses the body as XML.
pub(super) fn parsed<T: for<'xml> Deserialize<'xml>>(body: &[u8]) -> S3Result<T> {
    if body.is_empty() {
        return Err(s3_error!(MissingRequestBodyError, "Request body is empty."));
    }
    let mut deserializer = Deserializer::new(body);
    let parsed = T::deserialize(&mut deserializer).and_then(|parsed| deserializer.expect_eof().map(|()| parsed));
    parsed.map_err(|_| malformed())
}

/// Writes a setting as its GET returns it.
pub(super) fn written<T: SerializeContent>(root: &str, value: &T) -> S3Result<String> {
    let mut text = Vec::new();
    let mut serializer = Serializer::new(&mut text);
    let done = serializer.element_with_ns(root, XMLNS, |serializer| value.serialize_content(serializer));
    done.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, Box::new(error)))?;
    String::from_utf8(text).map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, Box::new(error)))
}

pub(super) fn checked<T>(root: &str, input: &SettingInput<'_>, check: impl Fn(&T) -> S3Result<()>) -> S3Result<String>
where
    T: for<'xml> Deserialize<'xml> + SerializeContent,
{
    let value: T = parsed(input.body)?;
    check(&value)?;
    written(root, &value)
}

pub(in crate::s3) fn malformed() -> S3Error {
    s3_error!(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
}

pub(super) fn one_of(value: Option<&str>, known: &[&str]) -> S3Result<()> {
    if value.is_some_and(|value| known.contains(&value)) { Ok(()) } else { Err(malformed()) }
}

/// The ownership setting of a new bucket.
pub(super) fn ownership(name: &str) -> S3Result<String> {
    let known = ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"];
    if !known.contains(&name) {
        return Err(s3_error!(InvalidArgument, "Invalid x-amz-object-ownership header: {}", name));
    }
    let rule = OwnershipControlsRule { object_ownership: name.to_owned().into() };
    written("OwnershipControls", &OwnershipControls { rules: vec![rule] })
}

pub(super) fn encryption(input: &SettingInput<'_>) -> S3Result<String> {
    const ROOT: &str = "ServerSideEncryptionConfiguration";
    let mut value: ServerSideEncryptionConfiguration = parsed(input.body)?;
    let [rule] = value.rules.as_mut_slice() else { return Err(malformed()) };
    if let Some(default) = &rule.apply_server_side_encryption_by_default {
        let algorithm = default.sse_algorithm.as_str();
        one_of(Some(algorithm), &["AES256", "aws:kms", "aws:kms:dsse"])?;
        if default.kms_master_key_id.is_some() && algorithm == "AES256" {
            return Err(s3_error!(
                InvalidArgument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            ));
        }
    }
    rule.bucket_key_enabled.get_or_insert(false);
    written(ROOT, &value)
}

pub(super) fn lifecycle(input: &SettingInput<'_>) -> S3Result<String> {
    let mut value: BucketLifecycleConfiguration = parsed(input.body)?;
    if value.rules.is_empty() {
        return Err(malformed());
    }
    for rule in &mut value.rules {
        one_of(Some(rule.status.as_str()), &["Enabled", "Disabled"])?;
        let idle = rule.expiration.is_none()
            && rule.transitions.as_ref().is_none_or(Vec::is_empty)
            && rule.noncurrent_version_expiration.is_none()
            && rule.noncurrent_version_transitions.as_ref().is_none_or(Vec::is_empty)
            && rule.abort_incomplete_multipart_upload.is_none();
        if idle {
            return Err(s3_error!(InvalidRequest, "At least one action needs to be specified in a rule"));
        }
        rule.id.get_or_insert_with(random_uuid);
    }
    let ids: std::collections::BTreeSet<_> = value.rules.iter().map(|rule| &rule.id).collect();
    if ids.len() < value.rules.len() {
        return Err(s3_error!(InvalidArgument, "Rule ID must be unique. Found same ID for more than one rule"));
    }
    written("LifecycleConfiguration", &value)
}

pub(super) fn notification(input: &SettingInput<'_>) -> S3Result<String> {
    let mut value: NotificationConfiguration = parsed(input.body)?;
    let topics = value.topic_configurations.iter_mut().flatten().map(|it| &mut it.id);
    let queues = value.queue_configurations.iter_mut().flatten().map(|it| &mut it.id);
    let functions = value.lambda_function_configurations.iter_mut().flatten().map(|it| &mut it.id);
    for id in topics.chain(queues).chain(functions) {
        id.get_or_insert_with(random_uuid);
    }
    written("NotificationConfiguration", &value)
}

pub(super) fn public_access_block(input: &SettingInput<'_>) -> S3Result<String> {
    let mut value: PublicAccessBlockConfiguration = parsed(input.body)?;
    value.block_public_acls.get_or_insert(false);
    value.block_public_policy.get_or_insert(false);
    value.ignore_public_acls.get_or_insert(false);
    value.restrict_public_buckets.get_or_insert(false);
    written("PublicAccessBlockConfiguration", &value)
}
