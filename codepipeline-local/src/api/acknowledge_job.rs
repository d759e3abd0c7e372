//! `AcknowledgeJob`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    nonce: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let state = engine.acknowledge(&input.job_id, &input.nonce, Requester::OwnWorker)?;
    Ok(json!({"status": state.name()}))
}
