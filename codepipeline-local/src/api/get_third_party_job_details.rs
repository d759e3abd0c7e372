//! `GetThirdPartyJobDetails`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, job_data::job_data, object, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    client_token: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let number = engine.third_party_job_for_details(&input.job_id, &input.client_token)?;
    let data = job_data(engine, number);
    let nonce = engine.job_view(number).and_then(|view| view.job.nonce.clone());
    let details = object([("id", input.job_id.into()), ("data", data), ("nonce", nonce.into())]);
    Ok(json!({"jobDetails": details}))
}
