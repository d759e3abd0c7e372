//! `PutActionRevision`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, job_results::date, read};
use crate::engine::{Engine, Revision};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    stage_name: String,
    action_name: String,
    action_revision: ActionRevision,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionRevision {
    revision_id: String,
    revision_change_id: String,
    created: f64,
}

/// The reference says that a revision is new if it was used before; its example says the opposite, which this follows.
pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let Input { pipeline_name: pipeline, stage_name: stage, action_name: action, action_revision: given } =
        read(input)?;
    let revision = Revision {
        id: given.revision_id,
        change_id: given.revision_change_id,
        created: date(given.created, "actionRevision.created")?,
        summary: None,
    };
    let (new, id) = engine.put_action_revision(engine.now(), &pipeline, &stage, &action, revision)?;
    Ok(json!({"newRevision": new, "pipelineExecutionId": id}))
}
