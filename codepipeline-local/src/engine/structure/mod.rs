//! Checks of pipeline declarations (User Guide, "reference-pipeline-structure").
//!
//! The User Guide states the rules, but not the errors. Codes and texts from users of the service cite their source.
//! Most come from deployments that <https://github.com/badmintoncryer/cdk-preflight> ("rules/codepipeline") recorded.
//! The other texts are the emulator's own.

use super::{Engine, error::ApiError, state::PipelineDeclaration};
use artifacts::Artifacts;
use namespaces::Namespaces;
use position::Position;

mod actions;
mod artifacts;
mod commands;
mod configuration;
mod namespaces;
mod position;
mod stages;
mod stores;

pub(super) fn check(engine: &Engine, pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    stores::check(&engine.settings.region, pipeline)?;
    stages::check(pipeline)?;
    let artifacts = Artifacts::of(pipeline)?;
    let namespaces = Namespaces::of(pipeline)?;
    for (index, stage) in pipeline.stages.iter().enumerate() {
        for action in &stage.actions {
            let position = Position { stage: index, run_order: action.run_order };
            let action_type = actions::check(engine, &pipeline.name, &stage.name, action)?;
            artifacts.check_inputs(action, position)?;
            let provided = &engine.settings.provided;
            if !provided.accepts_anything(&stage.name, action) {
                commands::check(pipeline, action)?;
            }
            if let Some(action_type) = action_type.filter(|_| !provided.skips(&stage.name, &action.name)) {
                configuration::check(action, action_type, provided.accepts_any_configuration(action_type))?;
            }
            namespaces.check_references(pipeline, stage, action, position)?;
        }
    }
    Ok(())
}
