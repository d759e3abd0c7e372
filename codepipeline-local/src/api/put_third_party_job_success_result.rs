//! `PutThirdPartyJobSuccessResult`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, job_results::SuccessResult, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    client_token: String,
    #[serde(flatten)]
    result: SuccessResult,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    // The operation has no output variables.
    let success = input.result.with(BTreeMap::new(), engine.now())?;
    engine.put_success(&input.job_id, success, Requester::Partner { client_token: &input.client_token })?;
    Ok(Value::Null)
}
