//! Action types: custom types, and the types of AWS and of partners that the emulator provides.

use std::collections::BTreeSet;

use super::{
    Engine,
    error::ApiError,
    state::{ActionType, ActionTypeId, Registered, Tag},
    tags::merged,
    urls,
};

/// Custom action types per region (User Guide, "limits").
const MOST_CUSTOM_TYPES: usize = 50;

impl Engine {
    /// Registers a custom action type. If it exists with the same definition, adds the tags to its own.
    pub(crate) fn create_action_type(&mut self, action_type: ActionType, tags: &[Tag]) -> Result<ActionType, ApiError> {
        check(&action_type)?;
        let kept = self.action_types.get(&action_type.id).map_or(&[][..], |known| &known.tags);
        let tags = merged(&self.action_type_arn(&action_type.id), kept, tags)?;
        let alive = self.action_types.values().filter(|known| !known.deleted).count();
        match self.action_types.get(&action_type.id) {
            Some(known) if known.action_type != action_type => {
                return Err(ApiError::new(
                    "ActionTypeAlreadyExistsException",
                    // Source of the second sentence: cdk-preflight, "cat-queryable-max-1".
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

    /// Deletes a custom action type. A missing type is not an error, because the API has no error for it.
    pub(crate) fn delete_action_type(&mut self, id: &ActionTypeId) {
        if let Some(known) = self.action_types.get_mut(id) {
            known.deleted = true;
            known.tags.clear();
        }
    }

    /// The available types; custom types come last.
    pub(crate) fn available_action_types(&self) -> impl Iterator<Item = &ActionType> {
        self.provided_action_types
            .iter()
            .chain(self.action_types.values().filter(|known| !known.deleted).map(|known| &known.action_type))
    }

    pub(crate) fn available_action_type(&self, id: &ActionTypeId) -> Option<&ActionType> {
        self.available_action_types().find(|known| known.id == *id)
    }

    /// The definition of a type, which may be deleted.
    pub(crate) fn known_action_type(&self, id: &ActionTypeId) -> Option<&ActionType> {
        self.provided_action_types
            .iter()
            .find(|known| known.id == *id)
            .or_else(|| self.action_types.get(id).map(|known| &known.action_type))
    }
}

/// An error that the API model lacks and the service returns (<https://github.com/badmintoncryer/cdk-preflight>,
/// "rules/codepipeline", the rules "cat-…").
fn invalid(message: String) -> ApiError {
    ApiError::new("InvalidActionTypeException", message)
}

/// Checks the rules of the User Guide, "actions-create-custom-action", that the API model does not state.
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
                    "settings.{member} names {{Config:{key}}}: make the configuration property '{key}' required and not secret"
                )));
            }
        }
    }
    Ok(())
}
