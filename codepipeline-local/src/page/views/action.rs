//! An execution of an action: in short, and with its inputs, outputs and timeline.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::masked::Masked;
use super::stage::type_id;
use super::timeline;
use crate::api::object;
use crate::engine::urls::{self, Ids};
use crate::engine::{ActionExecution, Artifact, Engine};
use crate::providers::Secrets;
use crate::s3::Store;
use crate::types::ObjectRef;

/// The key of the action's item in a view of its own.
pub(super) const KEY: &str = ":action";

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

/// The items of an action, in addition to those of its execution.
pub(super) fn items(
    engine: &Engine,
    id: &str,
    can_act: bool,
    secrets: &Secrets,
) -> Result<BTreeMap<String, Value>, String> {
    let (number, execution, found) =
        engine.action(id).ok_or_else(|| format!("There is no action execution with the id '{id}'"))?;
    let is_attempt =
        |other: &&ActionExecution| other.stage == found.stage && other.declaration.name == found.declaration.name;
    let attempts: Vec<&str> = engine.actions_in(number).filter(is_attempt).map(|other| other.id.as_str()).collect();
    let declared = &found.declaration;
    let shown = |configuration| engine.masked_configuration(&declared.action_type_id, configuration);
    let masked = Masked { values: engine.secrets_in(number), secrets };
    let mut item = action(engine, found, &attempts, can_act, &masked);
    let mut more = object([
        ("pipeline", execution.pipeline.clone().into()),
        ("execution", execution.id.clone().into()),
        ("type", type_id(&declared.action_type_id)),
        ("run_order", declared.run_order.into()),
        ("namespace", declared.namespace.clone().into()),
        ("configuration", json!(shown(&declared.configuration))),
        ("resolved", json!(shown(&found.configuration))),
        ("inputs", artifacts(&found.inputs, &masked)),
        ("outputs", artifacts(&found.outputs, &masked)),
        ("variables", json!(found.variables)),
    ]);
    masked.members(&mut more, &["configuration", "resolved", "variables"]);
    if let (Value::Object(item), Value::Object(more)) = (&mut item, more) {
        item.extend(more);
    }
    let mut items = super::execution::items(engine, (&execution.pipeline, &execution.id), can_act, secrets)?;
    items.insert(KEY.to_owned(), item);
    items.extend(timeline::steps(found).map(|(number, step)| (format!("step:{number}"), step)));
    Ok(items)
}

/// Adds whether each artifact's object exists, and its size. S3 answers this, so the engine need not wait.
pub(super) fn add_objects(item: &mut Value, store: &Store) {
    for list in ["inputs", "outputs"] {
        for artifact in item[list].as_array_mut().into_iter().flatten() {
            let text = |name: &str| artifact[name].as_str().unwrap_or_default().to_owned();
            let size = store.size(&ObjectRef { bucket: text("bucket"), key: text("key") });
            artifact["exists"] = size.is_some().into();
            if let Some(size) = size {
                artifact["bytes"] = size.into();
            }
        }
    }
}

fn artifacts(artifacts: &[Artifact], masked: &Masked<'_>) -> Value {
    let item = |artifact: &Artifact| {
        object([
            ("name", artifact.name.clone().into()),
            ("bucket", artifact.location.bucket.clone().into()),
            ("key", artifact.location.key.clone().into()),
            ("revision", artifact.revision.as_deref().map(|id| masked.text(id)).into()),
        ])
    };
    artifacts.iter().map(item).collect()
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
