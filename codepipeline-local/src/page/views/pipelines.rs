//! All pipelines.

use std::collections::BTreeMap;

use serde_json::Value;

use super::summary::{Since, summary};
use crate::api::object;
use crate::engine::Engine;
use crate::providers::Secrets;

pub(super) fn items(engine: &Engine, secrets: &Secrets) -> BTreeMap<String, Value> {
    let executions = engine.latest_executions();
    let first = executions.values().map(|(number, _)| *number).min();
    let mut since = Since::new(engine, first, secrets);
    let items = engine.pipelines.iter().map(|(name, pipeline)| {
        let latest = pipeline.latest();
        let execution = executions.get(name.as_str());
        let execution = execution.map(|(number, execution)| summary(engine, *number, execution, &mut since));
        let stages: Vec<Value> = latest.stages.iter().map(|stage| stage.name.clone().into()).collect();
        let item = object([
            ("name", name.clone().into()),
            ("version", latest.version.into()),
            ("updated", pipeline.updated.0.into()),
            ("execution_mode", latest.execution_mode.name().into()),
            ("stages", stages.into()),
            ("latest", execution.into()),
        ]);
        (name.clone(), item)
    });
    items.collect()
}
