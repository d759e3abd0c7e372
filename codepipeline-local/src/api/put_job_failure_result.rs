//! `PutJobFailureResult`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, job_results::FailureDetails, read};
use crate::engine::{Engine, third_party::Requester};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    job_id: String,
    failure_details: FailureDetails,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let FailureDetails { kind, message, external_execution_id } = input.failure_details;
    engine.put_failure(&input.job_id, &kind, message, external_execution_id, Requester::OwnWorker)?;
    Ok(Value::Null)
}
