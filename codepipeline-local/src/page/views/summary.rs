//! An execution in few words.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::masked::Masked;
use crate::api::object;
use crate::engine::{ActionExecution, Engine, Execution, ExecutionNumber, Revision, SecretValues, Wait};
use crate::providers::Secrets;

/// The data for the summaries of executions, found in one pass.
pub(super) struct Since<'a> {
    /// The revisions of executions by source action.
    revisions: BTreeMap<ExecutionNumber, BTreeMap<String, Value>>,
    /// The secrets of executions with a text.
    values: BTreeMap<ExecutionNumber, SecretValues>,
    secrets: &'a Secrets,
}

impl<'a> Since<'a> {
    /// For the execution `first` and all later ones. Texts are without `secrets`.
    pub(super) fn new(engine: &Engine, first: Option<ExecutionNumber>, secrets: &'a Secrets) -> Self {
        let values = first.map(|first| engine.secrets_of_summaries_since(first)).unwrap_or_default();
        let mut since = Self { revisions: BTreeMap::new(), values, secrets };
        for (action, found) in first.into_iter().flat_map(|first| engine.sources_since(first)) {
            let of_execution = since.revisions.entry(action.execution).or_default();
            // A retry replaces what the attempt before it found.
            of_execution.insert(action.declaration.name.clone(), revision(engine, action, found, secrets));
        }
        since
    }
}

fn revision(engine: &Engine, action: &ActionExecution, found: &Revision, secrets: &Secrets) -> Value {
    let mut item = object([
        ("action", action.declaration.name.clone().into()),
        ("id", found.id.clone().into()),
        ("summary", found.summary.clone().into()),
        ("url", engine.revision_url(action).into()),
    ]);
    Masked { values: engine.secrets_of([action]), secrets }.members(&mut item, &["id", "summary", "url"]);
    item
}

/// The summary of an execution. Takes what it needs out of `since`.
pub(super) fn summary(engine: &Engine, number: ExecutionNumber, execution: &Execution, since: &mut Since<'_>) -> Value {
    let revisions: Vec<Value> = since.revisions.remove(&number).unwrap_or_default().into_values().collect();
    let masked = Masked { values: since.values.remove(&number).unwrap_or_default(), secrets: since.secrets };
    let text = engine.status_summary(execution).map(|text| masked.text(&text));
    let trigger = &execution.trigger;
    let (stage, wait) = engine.position(execution).unzip();
    object([
        ("id", execution.id.clone().into()),
        ("number", u64::from(number).into()),
        ("version", execution.declaration.version.into()),
        ("status", execution.status.name().into()),
        ("summary", text.into()),
        ("stage", stage.into()),
        ("wait", wait.flatten().map(|wait| reason(&wait)).into()),
        ("started", execution.started.0.into()),
        ("updated", execution.updated.0.into()),
        ("trigger", json!({"type": trigger.kind.name(), "detail": masked.text(&trigger.detail)})),
        ("revisions", revisions.into()),
    ])
}

fn reason(wait: &Wait<'_>) -> Value {
    match wait {
        Wait::Approval { action } => json!({"for": "approval", "action": action}),
        Wait::Transition => json!({"for": "transition"}),
        Wait::Execution { id } => json!({"for": "execution", "execution": id}),
    }
}
