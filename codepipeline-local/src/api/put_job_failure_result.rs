//! `PutJobFailureResult`

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    failure_details: FailureDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailureDetails {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    external_execution_id: Option<String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    let details = input.failure_details;
    engine.put_failure(&input.job_id, &details.kind, details.message, details.external_execution_id)?;
    Ok(Value::Null)
}
