//! Checks of artifacts: each has one producer, which precedes its consumers.

use std::collections::{BTreeMap, BTreeSet};

use super::position::Position;
use crate::engine::{
    error::ApiError,
    state::{ActionDeclaration, PipelineDeclaration},
};

/// The output artifacts, and the positions of their producers.
pub(super) struct Artifacts<'a>(BTreeMap<&'a str, Position>);

impl<'a> Artifacts<'a> {
    pub(super) fn of(pipeline: &'a PipelineDeclaration) -> Result<Self, ApiError> {
        let mut made = BTreeMap::new();
        for (index, stage) in pipeline.stages.iter().enumerate() {
            for action in &stage.actions {
                for output in &action.output_artifacts {
                    if made
                        .insert(output.name.as_str(), Position { stage: index, run_order: action.run_order })
                        .is_some()
                    {
                        // Source: https://github.com/aws-cloudformation/cfn-lint/issues/1688.
                        return Err(ApiError::action(format!(
                            "Output Artifact Bundle name must be unique within the pipeline. {} has been used more than once.",
                            output.name
                        )));
                    }
                }
            }
        }
        Ok(Self(made))
    }

    pub(super) fn check_inputs(&self, action: &ActionDeclaration, position: Position) -> Result<(), ApiError> {
        let mut inputs = BTreeSet::new();
        for input in &action.input_artifacts {
            if !inputs.insert(&input.name) {
                return Err(ApiError::action(format!(
                    "Input Artifact Bundle {} in action {} is declared more than once",
                    input.name, action.name
                )));
            }
            if self.0.get(input.name.as_str()).is_none_or(|made| *made >= position) {
                // Source: the console, in an AWS workshop on blue/green deployments to ECS.
                return Err(ApiError::action(format!(
                    "Input Artifact Bundle {} in action {} is not declared as Output Artifact Bundle in any of the preceding actions",
                    input.name, action.name
                )));
            }
        }
        Ok(())
    }
}
