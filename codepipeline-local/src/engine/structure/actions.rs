//! Checks of an action's type, role and artifact counts.

use crate::engine::{
    Engine,
    error::ApiError,
    provided,
    state::{ActionDeclaration, ActionType},
};

/// Checks the action and returns its type. A skipped action may have a type that does not exist.
pub(super) fn check<'a>(
    engine: &'a Engine,
    pipeline: &str,
    stage: &str,
    action: &ActionDeclaration,
) -> Result<Option<&'a ActionType>, ApiError> {
    let (name, id) = (&action.name, &action.action_type_id);
    let found = engine.available_action_type(id);
    if engine.settings.provided.skips(stage, name) {
        return Ok(found);
    }
    let Some(action_type) = found else { return Err(not_available(engine, action)) };
    if action.role_arn.is_some() && id.owner != "AWS" {
        // Source: https://github.com/awslabs/aws-refarch-cross-account-pipeline/issues/7.
        return Err(ApiError::action(format!(
            "Action {name} with owner {} contains roleArn. Role ARN is not supported for actions with owner other than 'AWS'",
            id.owner
        )));
    }
    let needs_connection = id.owner == "ThirdParty" && !engine.settings.provided.has(id);
    if needs_connection && engine.connection(id, pipeline).is_none() {
        return Err(ApiError::action(format!(
            "Action '{name}': pipeline '{pipeline}' has no connection for {}; add one to the connections file",
            id.describe()
        )));
    }
    check_counts(action, action_type)?;
    Ok(Some(action_type))
}

fn not_available(engine: &Engine, action: &ActionDeclaration) -> ApiError {
    let (name, id) = (&action.name, &action.action_type_id);
    // Source of the first part: cdk-preflight, "action-type-id-combination".
    let mut message = format!(
        "{} in action '{name}' is not available in region '{}'",
        id.describe(),
        engine.settings.region.replace('-', "_").to_uppercase()
    );
    if id.owner != "Custom" {
        let known: Vec<String> = engine.provided_action_types.iter().map(|known| known.id.name()).collect();
        let (known, advice) = (known.join(", "), provided::advice(action));
        message += &format!("; besides custom action types, codepipeline-local runs {known} here. {advice}");
    }
    ApiError::action(message)
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
