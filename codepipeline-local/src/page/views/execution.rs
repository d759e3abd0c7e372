//! One execution with its stages and actions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::action::action;
use super::masked::Masked;
use super::stage::stage;
use super::summary::{Since, summary};
use super::transitions;
use crate::engine::{ActionExecution, Engine};
use crate::providers::Secrets;

/// The items of an execution, which is named by its pipeline and its id.
pub(super) fn items(
    engine: &Engine,
    (pipeline, id): (&str, &str),
    can_act: bool,
    secrets: &Secrets,
) -> Result<BTreeMap<String, Value>, String> {
    let (number, execution) = engine.execution(pipeline, id).map_err(|error| error.message)?;
    let mut items = BTreeMap::from([(transitions::KEY.to_owned(), transitions::pipeline(engine, pipeline, secrets)?)]);

    let mut head = summary(engine, number, execution, &mut Since::new(engine, Some(number), secrets));
    let masked = Masked { values: engine.secrets_in(number), secrets };
    let variable = |(name, value): (&String, &String)| json!({"name": name, "value": masked.text(value)});
    let variables: Vec<Value> = execution.variables().map(variable).collect();
    head["variables"] = variables.into();
    head["execution_mode"] = execution.declaration.execution_mode.name().into();
    if let Some(reason) = &execution.stop_reason {
        head["stop_reason"] = masked.text(reason).into();
    }
    items.insert(":execution".to_owned(), head);

    for (index, declared) in execution.declaration.stages.iter().enumerate() {
        items.insert(format!("stage:{index}"), stage(engine, execution, index, declared, secrets));
    }
    let mut attempts: BTreeMap<String, Vec<&ActionExecution>> = BTreeMap::new();
    for attempt in engine.actions_in(number) {
        let key = format!("action:{}/{}", attempt.stage, attempt.declaration.name);
        attempts.entry(key).or_default().push(attempt);
    }
    for (key, attempts) in attempts {
        let ids: Vec<&str> = attempts.iter().map(|attempt| attempt.id.as_str()).collect();
        if let Some(latest) = attempts.last() {
            items.insert(key, action(engine, latest, &ids, can_act, &masked));
        }
    }
    Ok(items)
}
