//! `EnableStageTransition`

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, read};
use crate::engine::{Engine, transitions::TransitionType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    transition_type: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    let kind = transition_type(&input.transition_type);
    engine.enable_transition(engine.now(), &input.pipeline_name, &input.stage_name, kind)?;
    Ok(Value::Null)
}

/// The validator lets two words through.
pub(super) fn transition_type(text: &str) -> TransitionType {
    if text == "Outbound" { TransitionType::Outbound } else { TransitionType::Inbound }
}
