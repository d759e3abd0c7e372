//! Reads a pipeline's declaration, and refuses by name members that the emulator does not support.

use serde_json::Value;

use super::read;
use crate::engine::{PipelineDeclaration, error::ApiError};

/// Members that are refused unless they are empty. Each names a feature that the emulator lacks.
const PIPELINE_MEMBERS: [&str; 1] = ["triggers"];
const STAGE_MEMBERS: [&str; 4] = ["beforeEntry", "blockers", "onFailure", "onSuccess"];

pub(super) fn declaration(mut pipeline: Value) -> Result<PipelineDeclaration, ApiError> {
    refuse(&pipeline, &PIPELINE_MEMBERS, "The pipeline", ApiError::structure)?;
    for stage in items(&pipeline, "stages") {
        refuse(stage, &STAGE_MEMBERS, &format!("Stage '{}'", name(stage)), ApiError::stage)?;
        for action in items(stage, "actions") {
            if action.get("timeoutInMinutes").is_some() && action["actionTypeId"]["category"] != "Approval" {
                let message =
                    format!("Action '{}' has timeoutInMinutes, which only manual approvals can have", name(action));
                return Err(ApiError::action(message));
            }
        }
    }
    if pipeline.get("pipelineType").is_none() && has_members_of_v2(&pipeline) {
        pipeline["pipelineType"] = "V2".into();
    }
    read(pipeline)
}

/// "Including V2 parameters […] in the pipeline JSON when creating or updating a pipeline will result in the pipeline having the V2
/// type of pipeline" (API reference, "PipelineDeclaration").
fn has_members_of_v2(pipeline: &Value) -> bool {
    let mode = pipeline.get("executionMode").and_then(Value::as_str).unwrap_or("SUPERSEDED");
    let mut actions = items(pipeline, "stages").flat_map(|stage| items(stage, "actions"));
    let has_commands = actions.any(|action| items(action, "commands").next().is_some());
    items(pipeline, "variables").next().is_some() || mode != "SUPERSEDED" || has_commands
}

fn refuse(value: &Value, members: &[&str], place: &str, error: impl Fn(String) -> ApiError) -> Result<(), ApiError> {
    let empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match members.iter().find(|member| value.get(member).is_some_and(|value| !empty(value))) {
        Some(member) => {
            Err(error(format!("{place} has {member}, which codepipeline-local does not emulate; remove {member}")))
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
