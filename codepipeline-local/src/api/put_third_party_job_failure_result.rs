//! `PutThirdPartyJobFailureResult`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, job_results::FailureDetails, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    client_token: String,
    failure_details: FailureDetails,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let FailureDetails { kind, message, external_execution_id } = input.failure_details;
    let requester = Requester::Partner { client_token: &input.client_token };
    engine.put_failure(&input.job_id, &kind, message, external_execution_id, requester)?;
    Ok(Value::Null)
}
