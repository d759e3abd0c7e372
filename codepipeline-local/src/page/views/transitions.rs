//! A pipeline's stages, transitions and variables.

use serde_json::{Value, json};

use crate::api::object;
use crate::engine::Engine;
use crate::providers::Secrets;

/// The key of the pipeline's item.
pub(super) const KEY: &str = ":pipeline";

/// The pipeline's latest version. Returns an error if the pipeline does not exist.
pub(super) fn pipeline(engine: &Engine, name: &str, secrets: &Secrets) -> Result<Value, String> {
    let pipeline = engine.pipeline(name).map_err(|error| error.message)?;
    let latest = pipeline.latest();
    let variables = latest.variables.iter().map(|variable| {
        let is_secret = engine.is_secret_variable(latest, &variable.name);
        object([
            ("name", variable.name.clone().into()),
            ("default", variable.default_value.clone().filter(|_| !is_secret).into()),
            ("secret", is_secret.then_some(true).into()),
            ("description", variable.description.clone().into()),
        ])
    });
    let stages = || latest.stages.iter().map(|stage| stage.name.clone());
    let transitions = stages().map(|stage| {
        let state = transition(engine, name, &stage, secrets);
        (stage, state)
    });
    Ok(json!({
        "name": name,
        "version": latest.version,
        "total": engine.executions_of(name).count(),
        "stages": stages().collect::<Vec<_>>(),
        "variables": variables.collect::<Vec<_>>(),
        "transitions": transitions.collect::<serde_json::Map<_, _>>(),
    }))
}

/// The transition into a stage.
pub(super) fn transition(engine: &Engine, pipeline: &str, stage: &str, secrets: &Secrets) -> Value {
    match engine.pipelines.get(pipeline).and_then(|pipeline| pipeline.disabled.get(stage)) {
        None => json!({"enabled": true}),
        Some(disabled) => json!({
            "enabled": false, "reason": secrets.mask(&disabled.reason), "at": disabled.at.0, "by": engine.user_arn(),
        }),
    }
}
