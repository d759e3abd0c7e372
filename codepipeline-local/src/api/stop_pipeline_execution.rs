//! `StopPipelineExecution`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    pipeline_execution_id: String,
    #[serde(default)]
    abandon: bool,
    reason: Option<String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let Input { pipeline_name, pipeline_execution_id: id, abandon, reason } = read(input)?;
    engine.stop_execution(engine.now(), &pipeline_name, &id, abandon, reason)?;
    Ok(json!({"pipelineExecutionId": id}))
}
