//! Source revision overrides: revisions that a start chooses for source actions (User Guide,
//! "pipelines-trigger-source-overrides").

use serde::Deserialize;

use super::{
    error::ApiError,
    state::{ActionDeclaration, PipelineDeclaration, RequestedRevisions},
};

/// The configuration key that allows an override of an S3 source's object key (User Guide, "action-reference-S3").
const ALLOW_KEY: &str = "AllowOverrideForS3ObjectKey";

/// One entry of `sourceRevisions`.
pub(crate) struct RevisionOverride {
    pub(crate) action: String,
    pub(crate) kind: RevisionType,
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RevisionType {
    #[serde(rename = "COMMIT_ID")]
    CommitId,
    #[serde(rename = "IMAGE_DIGEST")]
    ImageDigest,
    #[serde(rename = "S3_OBJECT_VERSION_ID")]
    ObjectVersion,
    #[serde(rename = "S3_OBJECT_KEY")]
    ObjectKey,
}

impl RevisionType {
    fn name(self) -> &'static str {
        match self {
            Self::CommitId => "COMMIT_ID",
            Self::ImageDigest => "IMAGE_DIGEST",
            Self::ObjectVersion => "S3_OBJECT_VERSION_ID",
            Self::ObjectKey => "S3_OBJECT_KEY",
        }
    }
}

/// Checks the overrides against the pipeline's source actions.
pub(super) fn requested_revisions(
    pipeline: &PipelineDeclaration,
    overrides: Vec<RevisionOverride>,
) -> Result<RequestedRevisions, ApiError> {
    let mut asked = RequestedRevisions::new();
    for RevisionOverride { action: name, kind, value } in overrides {
        let source =
            pipeline.actions().map(|(_, action)| action).find(|action| action.is_source() && action.name == name);
        let Some(source) = source else {
            let pipeline = &pipeline.name;
            return Err(ApiError::validation(format!(
                "Pipeline '{pipeline}' has no source action '{name}' to override"
            )));
        };
        check_type(source, kind)?;
        let source = asked.entry(name.clone()).or_default();
        let place = if kind == RevisionType::ObjectKey { &mut source.object_key } else { &mut source.object_version };
        if place.replace(value).is_some() {
            return Err(ApiError::validation(format!(
                "The source revision of action '{name}' is overridden twice with the type {}",
                kind.name()
            )));
        }
    }
    Ok(asked)
}

/// The type must match the provider. A custom source supports no override, because its worker's job has no member for
/// it. The emulator overrides no commits of Git sources, because it has one folder for each.
fn check_type(source: &ActionDeclaration, kind: RevisionType) -> Result<(), ApiError> {
    let (name, id) = (&source.name, &source.action_type_id);
    let of_s3 = matches!(kind, RevisionType::ObjectVersion | RevisionType::ObjectKey);
    if !of_s3 || !source.is_s3_source() {
        return Err(ApiError::validation(format!(
            "The source revision type {} is not valid for action '{name}' of the provider '{}'",
            kind.name(),
            id.provider
        )));
    }
    let allowed = source.configuration.get(ALLOW_KEY).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if kind == RevisionType::ObjectKey && !allowed {
        return Err(ApiError::validation(format!(
            "The object key of action '{name}' can not be overridden; its configuration must have {ALLOW_KEY} set to true"
        )));
    }
    Ok(())
}
