//! An execution in few words.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::object;
use crate::engine::{ActionExecution, Engine, Execution, ExecutionNumber, Revision};

/// The revisions of executions by source action.
pub(super) type Revisions = BTreeMap<ExecutionNumber, BTreeMap<String, Value>>;

/// The revisions of the execution `first` and all later ones.
pub(super) fn revisions_since(engine: &Engine, first: ExecutionNumber) -> Revisions {
    let mut revisions = Revisions::new();
    for (action, found) in engine.sources_since(first) {
        let of_execution = revisions.entry(action.execution).or_default();
        // A retry replaces what the attempt before it found.
        of_execution.insert(action.declaration.name.clone(), revision(engine, action, found));
    }
    revisions
}

fn revision(engine: &Engine, action: &ActionExecution, found: &Revision) -> Value {
    object([
        ("action", action.declaration.name.clone().into()),
        ("id", found.id.clone().into()),
        ("summary", found.summary.clone().into()),
        ("url", engine.revision_url(action).into()),
    ])
}

/// The summary of an execution. Takes its revisions out of the map.
pub(super) fn summary(
    engine: &Engine,
    number: ExecutionNumber,
    execution: &Execution,
    revisions: &mut Revisions,
) -> Value {
    let revisions: Vec<Value> = revisions.remove(&number).unwrap_or_default().into_values().collect();
    let trigger = &execution.trigger;
    object([
        ("id", execution.id.clone().into()),
        ("number", u64::from(number).into()),
        ("version", execution.declaration.version.into()),
        ("status", execution.status.name().into()),
        ("summary", engine.status_summary(execution).into()),
        ("started", execution.started.0.into()),
        ("updated", execution.updated.0.into()),
        ("trigger", json!({"type": trigger.kind.name(), "detail": trigger.detail})),
        ("revisions", revisions.into()),
    ])
}
