//! `PutJobSuccessResult`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, job_results::SuccessResult, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    #[serde(default)]
    output_variables: BTreeMap<String, String>,
    #[serde(flatten)]
    result: SuccessResult,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let success = input.result.with(input.output_variables, engine.now())?;
    engine.put_success(&input.job_id, success, Requester::OwnWorker)?;
    Ok(Value::Null)
}
