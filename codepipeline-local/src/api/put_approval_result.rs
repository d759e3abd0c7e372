//! `PutApprovalResult`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read, seconds};
use crate::engine::{Engine, approvals::Decision};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    action_name: String,
    result: ApprovalResult,
    token: String,
}

#[derive(Deserialize)]
struct ApprovalResult {
    summary: String,
    status: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let now = engine.now();
    let decision = Decision { approved: input.result.status == "Approved", summary: input.result.summary };
    engine.put_approval(now, &input.pipeline_name, &input.stage_name, &input.action_name, &input.token, decision)?;
    Ok(json!({"approvedAt": seconds(now)}))
}
