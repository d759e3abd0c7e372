//! Action types: the custom ones that users make, and those of AWS's own and of partners that the emulator runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Engine,
    declaration::{ActionTypeId, Tag},
    error::ApiError,
    tags::merged,
    urls,
};

/// Custom action types per region (User Guide, "limits").
const MOST_CUSTOM_TYPES: usize = 50;

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

/// A type and whether it was deleted: a deleted one still guards its version against another definition.
#[derive(Deserialize, Serialize)]
pub(super) struct Registered {
    pub(super) action_type: ActionType,
    pub(super) deleted: bool,
    pub(super) tags: Vec<Tag>,
}

impl ActionType {
    pub(crate) fn is_secret(&self, property: &str) -> bool {
        self.action_configuration_properties.iter().any(|known| known.name == property && known.secret)
    }

    pub(crate) fn queryable(&self) -> Option<&str> {
        self.action_configuration_properties.iter().find(|known| known.queryable).map(|known| known.name.as_str())
    }
}

impl Engine {
    /// Adds the tags to those of a type that exists with the same definition.
    pub(crate) fn create_action_type(&mut self, action_type: ActionType, tags: &[Tag]) -> Result<ActionType, ApiError> {
        check(&action_type)?;
        let kept = self.action_types.get(&action_type.id).map_or(&[][..], |known| &known.tags);
        let tags = merged(&self.action_type_arn(&action_type.id), kept, tags)?;
        let alive = self.action_types.values().filter(|known| !known.deleted).count();
        match self.action_types.get(&action_type.id) {
            Some(known) if known.action_type != action_type => {
                return Err(ApiError::new(
                    "ActionTypeAlreadyExistsException",
                    // The second half: cdk-preflight, "cat-queryable-max-1".
                    format!(
                        "{} {}. Create a new version of the action type.",
                        action_type.id.describe(),
                        if known.deleted { "has been deleted" } else { "already exists with a different definition" }
                    ),
                ));
            }
            Some(known) if !known.deleted => {}
            _ if alive >= MOST_CUSTOM_TYPES => {
                return Err(ApiError::new(
                    "LimitExceededException",
                    format!("There are {alive} custom action types; the limit is {MOST_CUSTOM_TYPES}"),
                ));
            }
            _ => {}
        }
        let registered = Registered { action_type: action_type.clone(), deleted: false, tags };
        self.action_types.insert(action_type.id.clone(), registered);
        Ok(action_type)
    }

    /// Deleting what does not exist is no error: the API has none for it.
    pub(crate) fn delete_action_type(&mut self, id: &ActionTypeId) {
        if let Some(known) = self.action_types.get_mut(id) {
            known.deleted = true;
            known.tags.clear();
        }
    }

    /// The types that can be used, those that users don't make first.
    pub(crate) fn available_action_types(&self) -> impl Iterator<Item = &ActionType> {
        self.own_action_types
            .iter()
            .chain(self.action_types.values().filter(|known| !known.deleted).map(|known| &known.action_type))
    }

    pub(crate) fn available_action_type(&self, id: &ActionTypeId) -> Option<&ActionType> {
        self.available_action_types().find(|known| known.id == *id)
    }

    /// The type's definition, even if it was deleted since.
    pub(crate) fn known_action_type(&self, id: &ActionTypeId) -> Option<&ActionType> {
        self.own_action_types
            .iter()
            .find(|known| known.id == *id)
            .or_else(|| self.action_types.get(id).map(|known| &known.action_type))
    }
}

pub(super) fn property(name: &str, required: bool) -> Property {
    Property {
        name: name.to_owned(),
        required,
        key: required,
        secret: false,
        queryable: false,
        description: None,
        kind: None,
    }
}

pub(super) fn first_version(category: &str, provider: &str) -> ActionTypeId {
    ActionTypeId {
        category: category.to_owned(),
        owner: "AWS".to_owned(),
        provider: provider.to_owned(),
        version: "1".to_owned(),
    }
}

/// The manual approval (User Guide, "approvals").
pub(super) fn manual_approval() -> ActionType {
    let none = ArtifactDetails { minimum_count: 0, maximum_count: 0 };
    let entity_url_template = Some("{Config:ExternalEntityLink}".to_owned());
    ActionType {
        id: first_version("Approval", "Manual"),
        settings: Some(TypeSettings { entity_url_template, ..TypeSettings::default() }),
        action_configuration_properties: vec![
            property("NotificationArn", false),
            property("ExternalEntityLink", false),
            property("CustomData", false),
        ],
        input_artifact_details: none,
        output_artifact_details: none,
    }
}

/// The S3 source action of version 1 (User Guide, "action-reference-S3").
pub(super) fn s3_source() -> ActionType {
    ActionType {
        id: first_version("Source", "S3"),
        settings: Some(TypeSettings {
            entity_url_template: Some("https://s3.console.aws.amazon.com/s3/buckets/{Config:S3Bucket}".to_owned()),
            ..TypeSettings::default()
        }),
        action_configuration_properties: vec![
            property("S3Bucket", true),
            property("S3ObjectKey", true),
            property("PollForSourceChanges", false),
            property("AllowOverrideForS3ObjectKey", false),
        ],
        input_artifact_details: ArtifactDetails { minimum_count: 0, maximum_count: 0 },
        output_artifact_details: ArtifactDetails { minimum_count: 1, maximum_count: 1 },
    }
}

/// The model has no shape for this error, but the service gives it (<https://github.com/badmintoncryer/cdk-preflight>,
/// "rules/codepipeline", the rules "cat-…").
fn invalid(message: String) -> ApiError {
    ApiError::new("InvalidActionTypeException", message)
}

/// The rules of the User Guide, "actions-create-custom-action", that the API model does not state.
pub(super) fn check(action_type: &ActionType) -> Result<(), ApiError> {
    let properties = &action_type.action_configuration_properties;
    let mut names = BTreeSet::new();
    for property in properties {
        if !names.insert(&property.name) {
            return Err(invalid(format!("The configuration property '{}' is declared more than once", property.name)));
        }
        if property.queryable && (!property.required || property.secret) {
            return Err(invalid(format!(
                "Invalid queryable property '{}'. Queryable configuration properties must be required and non-secret.",
                property.name
            )));
        }
    }
    let queryable: Vec<&str> =
        properties.iter().filter(|property| property.queryable).map(|property| property.name.as_str()).collect();
    if queryable.len() > 1 {
        return Err(invalid(format!(
            "Multiple queryable configuration properties found with names '{}'. Up to one queryable property may be specified.",
            queryable.join(", ")
        )));
    }
    for details in [action_type.input_artifact_details, action_type.output_artifact_details] {
        if details.minimum_count > details.maximum_count {
            return Err(invalid(format!(
                "Maximum Number of Artifacts ({}) has to be greater than or equal to minimum ({}).",
                details.maximum_count, details.minimum_count
            )));
        }
    }
    let Some(settings) = &action_type.settings else { return Ok(()) };
    for (member, template) in [
        ("entityUrlTemplate", &settings.entity_url_template),
        ("executionUrlTemplate", &settings.execution_url_template),
        ("revisionUrlTemplate", &settings.revision_url_template),
    ] {
        for key in template.iter().flat_map(|template| urls::config_keys(template)) {
            if !properties.iter().any(|property| property.name == key && property.required && !property.secret) {
                return Err(invalid(format!(
                    "settings.{member} names {{Config:{key}}}; only a configuration property that is required and not secret can be named there"
                )));
            }
        }
    }
    Ok(())
}
