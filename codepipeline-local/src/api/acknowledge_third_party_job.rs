//! `AcknowledgeThirdPartyJob`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    nonce: String,
    client_token: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let requester = Requester::Partner { client_token: &input.client_token };
    let state = engine.acknowledge(&input.job_id, &input.nonce, requester)?;
    Ok(json!({"status": state.name()}))
}
