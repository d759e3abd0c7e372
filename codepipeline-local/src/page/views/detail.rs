//! An execution of an action with its inputs, outputs and timeline, and with the execution of its pipeline.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::action::action;
use super::masked::Masked;
use super::stage::type_id;
use super::{execution, timeline};
use crate::api::object;
use crate::engine::{ActionExecution, Artifact, Engine};
use crate::providers::Secrets;
use crate::s3::Store;
use crate::types::ObjectRef;

/// The key of the action's item in a view of its own.
pub(super) const KEY: &str = ":action";

/// The items of an action, in addition to those of its execution.
pub(super) fn items(
    engine: &Engine,
    id: &str,
    can_act: bool,
    secrets: &Secrets,
) -> Result<BTreeMap<String, Value>, String> {
    let (number, of, found) =
        engine.action(id).ok_or_else(|| format!("There is no action execution with the id '{id}'"))?;
    let is_attempt =
        |other: &&ActionExecution| other.stage == found.stage && other.declaration.name == found.declaration.name;
    let attempts: Vec<&str> = engine.actions_in(number).filter(is_attempt).map(|other| other.id.as_str()).collect();
    let declared = &found.declaration;
    let shown = |configuration| engine.masked_configuration(&declared.action_type_id, configuration);
    let masked = Masked { values: engine.secrets_in(number), secrets };
    let mut item = action(engine, found, &attempts, can_act, &masked);
    let mut more = object([
        ("pipeline", of.pipeline.clone().into()),
        ("execution", of.id.clone().into()),
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
    let mut items = execution::items(engine, (&of.pipeline, &of.id), can_act, secrets)?;
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
