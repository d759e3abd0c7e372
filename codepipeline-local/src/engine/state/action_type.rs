//! Definitions of action types.

use serde::{Deserialize, Serialize};

use super::declaration::{ActionTypeId, Tag};

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionType {
    pub(crate) id: ActionTypeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<TypeSettings>,
    pub(crate) action_configuration_properties: Vec<Property>,
    pub(crate) input_artifact_details: ArtifactDetails,
    pub(crate) output_artifact_details: ArtifactDetails,
}

#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypeSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) third_party_configuration_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_url_template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution_url_template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision_url_template: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) key: bool,
    pub(crate) secret: bool,
    #[serde(default)]
    pub(crate) queryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArtifactDetails {
    pub(crate) minimum_count: usize,
    pub(crate) maximum_count: usize,
}

/// A custom type, which may be deleted. A deleted type still reserves its version for its definition.
#[derive(Deserialize, Serialize)]
pub(in crate::engine) struct Registered {
    pub(in crate::engine) action_type: ActionType,
    pub(in crate::engine) deleted: bool,
    pub(in crate::engine) tags: Vec<Tag>,
}

impl ActionType {
    pub(crate) fn queryable(&self) -> Option<&str> {
        self.action_configuration_properties.iter().find(|known| known.queryable).map(|known| known.name.as_str())
    }
}

/// Whether replies mask the property of a type, which need not be known. If the type does not declare the property, its name decides.
pub(in crate::engine) fn is_secret(action_type: Option<&ActionType>, property: &str) -> bool {
    let mut declared = action_type.into_iter().flat_map(|known| &known.action_configuration_properties);
    let declared = declared.find(|declared| declared.name == property);
    declared.map_or_else(|| sounds_secret(property), |declared| declared.secret)
}

/// Whether a property of this name probably has a secret value.
pub(crate) fn sounds_secret(property: &str) -> bool {
    let property = property.to_lowercase();
    ["secret", "token", "password"].iter().any(|word| property.contains(word))
}

/// Whether `PollForJobs` can query the value.
pub(in crate::engine) fn is_queryable_value(value: &str) -> bool {
    (1..=50).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

pub(in crate::engine) fn queryable_rule(property: &str) -> String {
    format!("the value of the queryable property '{property}' must have 1 to 50 characters of [a-zA-Z0-9_-]")
}
