//! `GetJobDetails`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, job_data::job_data, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let number = engine.job_for_details(&input.job_id)?;
    let data = job_data(engine, number);
    Ok(json!({"jobDetails": {"id": input.job_id, "accountId": engine.settings.account_id, "data": data}}))
}
