//! `DisableStageTransition`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, enable_stage_transition::transition_type, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    transition_type: String,
    reason: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let kind = transition_type(&input.transition_type);
    engine.disable_transition(engine.now(), &input.pipeline_name, &input.stage_name, kind, input.reason)?;
    Ok(Value::Null)
}
