//! An execution of an action in short.

use serde_json::{Value, json};

use super::masked::Masked;
use crate::api::object;
use crate::engine::urls::{self, Ids};
use crate::engine::{ActionExecution, Engine};

/// The members of an action with texts of its worker, or with its configuration.
const TEXTS: [&str; 7] = ["summary", "external_id", "external_url", "entity_url", "revision_url", "error", "approval"];

/// An action in short, with texts masked. `attempts` has the ids of all its executions in the pipeline execution, oldest first.
pub(super) fn action(
    engine: &Engine,
    action: &ActionExecution,
    attempts: &[&str],
    can_act: bool,
    masked: &Masked<'_>,
) -> Value {
    let id = &action.declaration.action_type_id;
    let error = action.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    let mut item = object([
        ("id", action.id.clone().into()),
        ("stage", action.stage.clone().into()),
        ("name", action.declaration.name.clone().into()),
        ("status", action.status.name().into()),
        ("summary", action.summary.clone().into()),
        ("percent", action.percent_complete.into()),
        ("external_id", action.external_id.clone().into()),
        ("external_url", engine.external_url(action).into()),
        ("entity_url", entity_url(engine, action).into()),
        ("revision_url", engine.revision_url(action).into()),
        ("started", action.started.0.into()),
        ("updated", action.updated.0.into()),
        ("updated_by", action.updated_by.clone().into()),
        ("error", error.into()),
        ("token", action.open_approval().filter(|_| can_act).into()),
        ("approval", approval(engine, action).into()),
        ("stand_in", engine.settings.provided.stand_ins.contains(id).into()),
        ("attempts", attempts.into()),
    ]);
    masked.members(&mut item, &TEXTS);
    item
}

/// The text and the link for the approver.
fn approval(engine: &Engine, action: &ActionExecution) -> Option<Value> {
    let id = &action.declaration.action_type_id;
    if id.category != "Approval" {
        return None;
    }
    let configuration = engine.masked_configuration(id, &action.configuration);
    let value = |key: &str| configuration.get(key).cloned().into();
    Some(object([("data", value("CustomData")), ("url", value("ExternalEntityLink"))]))
}

fn entity_url(engine: &Engine, action: &ActionExecution) -> Option<String> {
    let known = engine.known_action_type(&action.declaration.action_type_id)?;
    let template = known.settings.as_ref()?.entity_url_template.as_ref()?;
    let revision = action.revision.as_ref().map(|revision| revision.id.as_str());
    urls::fill(template, &action.configuration, Ids { revision, ..Ids::default() })
}
