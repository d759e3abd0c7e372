//! `PollForJobs`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, job_data::job_data, object, read};
use crate::engine::{ActionTypeId, Engine};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    action_type_id: ActionTypeId,
    max_batch_size: Option<usize>,
    #[serde(default)]
    query_param: BTreeMap<String, String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let offered = engine.poll(&input.action_type_id, input.max_batch_size, &input.query_param)?;
    let mut jobs = Vec::new();
    for number in offered {
        let data = job_data(engine, number);
        let Some(view) = engine.job_view(number) else { continue };
        jobs.push(object([
            ("id", view.job.id.clone().into()),
            ("nonce", view.job.nonce.clone().into()),
            ("accountId", engine.settings.account_id.clone().into()),
            ("data", data),
        ]));
    }
    Ok(json!({"jobs": jobs}))
}
