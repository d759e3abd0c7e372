//! `RetryStageExecution`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::{Engine, retries::RetryMode};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    pipeline_execution_id: String,
    retry_mode: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let Input { pipeline_name, stage_name, pipeline_execution_id: id, retry_mode } = read(input)?;
    // The validator accepts two words.
    let mode = if retry_mode == "ALL_ACTIONS" { RetryMode::AllActions } else { RetryMode::FailedActions };
    engine.retry_stage(engine.now(), &pipeline_name, &stage_name, &id, mode)?;
    Ok(json!({"pipelineExecutionId": id}))
}
