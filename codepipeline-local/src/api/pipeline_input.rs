//! Reads a pipeline's declaration, and refuses by name what the emulator would have to leave out.

use serde_json::Value;

use super::read;
use crate::engine::{declaration::PipelineDeclaration, error::ApiError};

const STAGE_MEMBERS: [&str; 4] = ["beforeEntry", "blockers", "onFailure", "onSuccess"];
/// For the Compute category.
const ACTION_MEMBERS: [&str; 3] = ["commands", "environmentVariables", "outputVariables"];

pub(super) fn declaration(pipeline: Value) -> Result<PipelineDeclaration, ApiError> {
    refuse(&pipeline, &["triggers"], "The pipeline", ApiError::structure)?;
    for stage in items(&pipeline, "stages") {
        refuse(stage, &STAGE_MEMBERS, &format!("Stage '{}'", name(stage)), ApiError::stage)?;
        for action in items(stage, "actions") {
            refuse(action, &ACTION_MEMBERS, &format!("Action '{}'", name(action)), ApiError::action)?;
            if action.get("timeoutInMinutes").is_some() && action["actionTypeId"]["category"] != "Approval" {
                let message =
                    format!("Action '{}' has timeoutInMinutes, which manual approvals alone can have", name(action));
                return Err(ApiError::action(message));
            }
            for output in items(action, "outputArtifacts") {
                let place = format!("The output artifact '{}' of action '{}'", name(output), name(action));
                refuse(output, &["files"], &place, ApiError::action)?;
            }
        }
    }
    read(pipeline)
}

fn refuse(value: &Value, members: &[&str], place: &str, error: impl Fn(String) -> ApiError) -> Result<(), ApiError> {
    let given =
        |member: &&&str| value.get(member).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()));
    match members.iter().find(given) {
        Some(member) => {
            Err(error(format!("{place} has {member}, which codepipeline-local does not emulate; remove it")))
        }
        None => Ok(()),
    }
}

fn items<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn name(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or_default()
}
