//! The declaration of a pipeline, with the API's member names. Holds configuration values, so it has no `Debug`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) type Configuration = BTreeMap<String, String>;

/// The name of an action type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct ActionTypeId {
    /// `Source`, `Build`, `Test`, `Deploy`, `Invoke`, `Approval` or `Compute`.
    pub category: String,
    /// `AWS`, `ThirdParty` or `Custom`.
    pub owner: String,
    /// The provider's name, such as `CodeBuild`.
    pub provider: String,
    /// The version, such as `1`.
    pub version: String,
}

impl ActionTypeId {
    /// The type with this category, owner and provider in version 1, which all types of AWS but few have.
    pub fn first(category: &str, owner: &str, provider: &str) -> Self {
        let text = str::to_owned;
        Self { category: text(category), owner: text(owner), provider: text(provider), version: text("1") }
    }

    /// The name as the flag `--provider` takes it: `CATEGORY/OWNER/PROVIDER/VERSION`.
    pub fn name(&self) -> String {
        let Self { category, owner, provider, version } = self;
        format!("{category}/{owner}/{provider}/{version}")
    }

    /// Whether it is AWS's type with this category and provider.
    pub(crate) fn is_aws(&self, category: &str, provider: &str) -> bool {
        self.owner == "AWS" && self.category == category && self.provider == provider
    }

    /// The description in error messages of the service.
    pub(crate) fn describe(&self) -> String {
        let Self { category, owner, provider, version } = self;
        format!("ActionType (Category: '{category}', Provider: '{provider}', Owner: '{owner}', Version: '{version}')")
    }

    /// The short form at the end of ARNs.
    pub(crate) fn path(&self) -> String {
        let Self { category, owner, provider, version } = self;
        format!("{owner}/{category}/{provider}/{version}")
    }
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PipelineDeclaration {
    pub(crate) name: String,
    pub(crate) role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_store: Option<ArtifactStore>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) artifact_stores: BTreeMap<String, ArtifactStore>,
    pub(crate) stages: Vec<StageDeclaration>,
    #[serde(default = "one")]
    pub(crate) version: u32,
    #[serde(default)]
    pub(crate) execution_mode: ExecutionMode,
    #[serde(default = "first_type")]
    pub(crate) pipeline_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) variables: Vec<VariableDeclaration>,
}

impl PipelineDeclaration {
    /// The artifact store of the pipeline's own region.
    pub(crate) fn store(&self, region: &str) -> Option<&ArtifactStore> {
        self.artifact_store.as_ref().or_else(|| self.artifact_stores.get(region))
    }

    pub(crate) fn stores(&self) -> impl Iterator<Item = &ArtifactStore> {
        self.artifact_store.iter().chain(self.artifact_stores.values())
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = (&StageDeclaration, &ActionDeclaration)> {
        self.stages.iter().flat_map(|stage| stage.actions.iter().map(move |action| (stage, action)))
    }
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArtifactStore {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_key: Option<EncryptionKey>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct EncryptionKey {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ExecutionMode {
    #[default]
    Superseded,
    Queued,
    Parallel,
}

impl ExecutionMode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Superseded => "SUPERSEDED",
            Self::Queued => "QUEUED",
            Self::Parallel => "PARALLEL",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct StageDeclaration {
    pub(crate) name: String,
    pub(crate) actions: Vec<ActionDeclaration>,
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionDeclaration {
    pub(crate) name: String,
    pub(crate) action_type_id: ActionTypeId,
    #[serde(default = "one")]
    pub(crate) run_order: u32,
    #[serde(default)]
    pub(crate) configuration: Configuration,
    #[serde(default)]
    pub(crate) output_artifacts: Vec<OutputArtifact>,
    #[serde(default)]
    pub(crate) input_artifacts: Vec<ArtifactName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    /// For manual approvals only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_in_minutes: Option<u64>,
    /// For Commands actions only, as are the next two members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) output_variables: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) environment_variables: Vec<EnvironmentVariable>,
}

impl ActionDeclaration {
    pub(crate) fn is_source(&self) -> bool {
        self.action_type_id.category == "Source"
    }

    pub(crate) fn is_s3_source(&self) -> bool {
        self.action_type_id.is_aws("Source", "S3")
    }

    /// The configuration property that names the bucket of an S3 action.
    pub(in crate::engine) fn bucket_property(&self) -> Option<&'static str> {
        let id = &self.action_type_id;
        match (id.owner.as_str(), id.category.as_str(), id.provider.as_str()) {
            ("AWS", "Source", "S3") => Some("S3Bucket"),
            ("AWS", "Deploy", "S3") => Some("BucketName"),
            _ => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ArtifactName {
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct OutputArtifact {
    pub(crate) name: String,
    /// The patterns of its files, for Commands actions only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
}

/// An environment variable of an action. It may hold a value that should be secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct EnvironmentVariable {
    /// The variable's name.
    pub name: String,
    /// The value, or the reference to a secret.
    pub value: String,
    /// What the value is.
    #[serde(rename = "type", default)]
    pub kind: EnvironmentVariableKind,
}

/// What the value of an environment variable is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EnvironmentVariableKind {
    /// The value itself.
    #[default]
    Plaintext,
    /// The reference to a secret in Secrets Manager.
    SecretsManager,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VariableDeclaration {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

fn one() -> u32 {
    1
}

fn first_type() -> String {
    "V1".to_owned()
}
