//! `EnableStageTransition`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, read};
use crate::engine::{Engine, transitions::TransitionType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    transition_type: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let kind = transition_type(&input.transition_type);
    engine.enable_transition(engine.now(), &input.pipeline_name, &input.stage_name, kind)?;
    Ok(Value::Null)
}

/// Reads the type. The validator accepts two words.
pub(super) fn transition_type(text: &str) -> TransitionType {
    if text == "Outbound" { TransitionType::Outbound } else { TransitionType::Inbound }
}
