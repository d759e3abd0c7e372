//! `PollForThirdPartyJobs`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::{ActionTypeId, Engine};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    action_type_id: ActionTypeId,
    max_batch_size: Option<usize>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let offered = engine.poll_third_party(&input.action_type_id, input.max_batch_size)?;
    let jobs: Vec<Value> = offered
        .into_iter()
        .filter_map(|number| {
            let (job, client) = (engine.job_view(number)?.job, engine.client_of(number)?);
            Some(json!({"clientId": client.client_id, "jobId": job.id}))
        })
        .collect();
    Ok(json!({"jobs": jobs}))
}
