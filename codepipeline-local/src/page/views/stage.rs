//! A stage of an execution.

use serde_json::{Value, json};

use super::transitions::transition;
use crate::api::object;
use crate::engine::{ActionDeclaration, ActionTypeId, Engine, Execution, StageDeclaration};
use crate::providers::Secrets;

pub(super) fn stage(
    engine: &Engine,
    execution: &Execution,
    index: usize,
    stage: &StageDeclaration,
    secrets: &Secrets,
) -> Value {
    // A later version of the pipeline may lack the stage.
    let pipeline = engine.pipelines.get(&execution.pipeline);
    let exists = pipeline.is_some_and(|it| it.latest().stages.iter().any(|other| other.name == stage.name));
    let actions: Vec<Value> = stage.actions.iter().map(declared).collect();
    object([
        ("index", index.into()),
        ("name", stage.name.clone().into()),
        ("status", execution.stages.get(index).map(|status| status.name()).into()),
        ("waiting", (execution.waits_for() == Some(index)).into()),
        ("retries", execution.retries.get(&stage.name).copied().unwrap_or_default().into()),
        ("can_retry", engine.can_retry(&execution.pipeline, &stage.name, &execution.id).into()),
        ("transition", exists.then(|| transition(engine, &execution.pipeline, &stage.name, secrets)).into()),
        ("actions", actions.into()),
    ])
}

fn declared(action: &ActionDeclaration) -> Value {
    object([
        ("name", action.name.clone().into()),
        ("run_order", action.run_order.into()),
        ("type", type_id(&action.action_type_id)),
        ("namespace", action.namespace.clone().into()),
    ])
}

/// The type of an action.
pub(super) fn type_id(id: &ActionTypeId) -> Value {
    json!({"category": id.category, "owner": id.owner, "provider": id.provider, "version": id.version})
}
