//! Checks of an action's configuration against its type.

use crate::engine::{
    error::ApiError,
    state::{ActionDeclaration, ActionType, is_queryable_value, queryable_rule},
};
use crate::types::BUCKET_RULE;

/// Sources: cdk-preflight, "action-config-required-keys", and
/// <https://github.com/hashicorp/terraform-provider-aws/issues/11431>.
///
/// With `any`, the action may have properties that its type does not declare.
pub(super) fn check(action: &ActionDeclaration, action_type: &ActionType, any: bool) -> Result<(), ApiError> {
    let name = &action.name;
    let properties = &action_type.action_configuration_properties;
    for property in properties.iter().filter(|property| property.required) {
        if !action.configuration.contains_key(&property.name) {
            return Err(ApiError::action(format!(
                "Action configuration for action '{name}' is missing required configuration '{}'",
                property.name
            )));
        }
    }
    for (key, value) in &action.configuration {
        let Some(property) = properties.iter().find(|property| property.name == *key) else {
            if any {
                continue;
            }
            return Err(ApiError::action(format!(
                "Action configuration for action '{name}' contains unknown configuration '{key}'"
            )));
        };
        let bucket = action.bucket_property() == Some(key);
        if bucket && !value.contains("#{") && !s3s::path::check_bucket_name(value) {
            return Err(ApiError::action(format!(
                "Action '{name}': its {key} is not a valid bucket name: {BUCKET_RULE}"
            )));
        }
        if property.queryable && !value.contains("#{") && !is_queryable_value(value) {
            return Err(ApiError::action(format!("Action '{name}': {}", queryable_rule(key))));
        }
    }
    Ok(())
}
