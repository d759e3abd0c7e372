//! Checks of an action's type, role and artifact counts.

use crate::engine::{
    Engine,
    error::ApiError,
    state::{ActionDeclaration, ActionType},
};

/// Checks the action and returns its type.
pub(super) fn check<'a>(
    engine: &'a Engine,
    pipeline: &str,
    action: &ActionDeclaration,
) -> Result<&'a ActionType, ApiError> {
    let (name, id) = (&action.name, &action.action_type_id);
    let Some(action_type) = engine.available_action_type(id) else {
        // Source of the first part: cdk-preflight, "action-type-id-combination".
        let mut message = format!(
            "{} in action '{name}' is not available in region '{}'",
            id.describe(),
            engine.settings.region.replace('-', "_").to_uppercase()
        );
        if id.owner != "Custom" {
            let known: Vec<String> = engine.provided_action_types.iter().map(|known| known.id.path()).collect();
            message += "; besides custom action types, codepipeline-local emulates ";
            message += &known.join(", ");
        }
        return Err(ApiError::action(message));
    };
    if action.role_arn.is_some() && id.owner != "AWS" {
        // Source: https://github.com/awslabs/aws-refarch-cross-account-pipeline/issues/7.
        return Err(ApiError::action(format!(
            "Action {name} with owner {} contains roleArn. Role ARN is not supported for actions with owner other than 'AWS'",
            id.owner
        )));
    }
    if id.owner == "ThirdParty" && engine.connection(id, pipeline).is_none() {
        return Err(ApiError::action(format!(
            "Action '{name}': pipeline '{pipeline}' has no connection for {}; add one to the connections file",
            id.describe()
        )));
    }
    check_counts(action, action_type)?;
    Ok(action_type)
}

/// Source for too few artifacts: <https://github.com/awsdocs/aws-cloudformation-user-guide/pull/941>. The text for
/// too many is modelled on it.
fn check_counts(action: &ActionDeclaration, action_type: &ActionType) -> Result<(), ApiError> {
    for (what, details, count) in [
        ("input", action_type.input_artifact_details, action.input_artifacts.len()),
        ("output", action_type.output_artifact_details, action.output_artifacts.len()),
    ] {
        let broken = if count < details.minimum_count {
            format!("less than the minimum count ({})", details.minimum_count)
        } else if count > details.maximum_count {
            format!("more than the maximum count ({})", details.maximum_count)
        } else {
            continue;
        };
        return Err(ApiError::action(format!(
            "Action {} declares {count} {what} artifacts which is {broken}",
            action.name
        )));
    }
    Ok(())
}
