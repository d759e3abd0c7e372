//! Checks of variable namespaces and references.

use std::collections::BTreeMap;

use super::position::Position;
use crate::engine::{
    error::ApiError,
    state::{ActionDeclaration, PipelineDeclaration, StageDeclaration},
    variables::{self, EXECUTION_NAMESPACE, PIPELINE_NAMESPACE},
};

/// The namespaces, and the positions of their actions.
pub(super) struct Namespaces<'a>(BTreeMap<&'a str, Position>);

impl<'a> Namespaces<'a> {
    pub(super) fn of(pipeline: &'a PipelineDeclaration) -> Result<Self, ApiError> {
        let mut known = BTreeMap::new();
        let mut again = String::new();
        for (index, stage) in pipeline.stages.iter().enumerate() {
            for action in &stage.actions {
                let Some(namespace) = &action.namespace else { continue };
                if [EXECUTION_NAMESPACE, PIPELINE_NAMESPACE].contains(&namespace.as_str()) {
                    return Err(ApiError::action(format!(
                        "The namespace '{namespace}' of action '{}' is reserved",
                        action.name
                    )));
                }
                if known.insert(namespace.as_str(), Position { stage: index, run_order: action.run_order }).is_some() {
                    again +=
                        &format!("\nStageName=[{}], ActionName=[{}], Namespace=[{namespace}]", stage.name, action.name);
                }
            }
        }
        if !again.is_empty() {
            // Source of code and text: https://github.com/aws/aws-cdk/issues/6111.
            return Err(ApiError::action(format!(
                "Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline.{again}"
            )));
        }
        Ok(Self(known))
    }

    /// Checks that an earlier action or the pipeline provides each variable.
    pub(super) fn check_references(
        &self,
        pipeline: &PipelineDeclaration,
        stage: &StageDeclaration,
        action: &ActionDeclaration,
        position: Position,
    ) -> Result<(), ApiError> {
        let configuration =
            action.configuration.iter().map(|(key, value)| (format!("configuration '{key}'"), key.clone(), value));
        let environment = action.environment_variables.iter().map(|variable| {
            (format!("environment variable '{}'", variable.name), variable.name.clone(), &variable.value)
        });
        let commands = action.commands.iter().enumerate().map(|(index, command)| {
            let number = index + 1;
            (format!("command {number}"), format!("commands.{number}"), command)
        });
        for (what, property, value) in configuration.chain(environment).chain(commands) {
            let references = variables::references(value).map_err(|wrong| {
                let (stage, action) = (&stage.name, &action.name);
                ApiError::action(format!("The {what} of action '{action}' in stage '{stage}': {wrong}"))
            })?;
            for (namespace, key) in references {
                let place = format!(
                    "StageName=[{}], ActionName=[{}], ActionConfigurationKey=[{property}], VariableReferenceText=[{namespace}.{key}]",
                    stage.name, action.name
                );
                self.check_reference(pipeline, (namespace, key), position, &place)?;
            }
        }
        Ok(())
    }

    /// The texts for an unknown namespace and for an undeclared variable come from other emulators of the service.
    /// The others are our own.
    fn check_reference(
        &self,
        pipeline: &PipelineDeclaration,
        (namespace, key): (&str, &str),
        position: Position,
        place: &str,
    ) -> Result<(), ApiError> {
        match (namespace, self.0.get(namespace)) {
            (EXECUTION_NAMESPACE, _) if key == "PipelineExecutionId" => Ok(()),
            (EXECUTION_NAMESPACE, _) => Err(ApiError::action(format!(
                "The only variable in the namespace '{EXECUTION_NAMESPACE}' is PipelineExecutionId.\n{place}"
            ))),
            (PIPELINE_NAMESPACE, _) if pipeline.variables.iter().any(|variable| variable.name == key) => Ok(()),
            (PIPELINE_NAMESPACE, _) if !pipeline.variables.is_empty() => {
                Err(ApiError::structure(format!("The referenced variables haven't been declared.\n{place}")))
            }
            (_, Some(made)) if *made < position => Ok(()),
            (_, Some(_)) => Err(ApiError::action(format!(
                "A pipeline execution variable can only be referenced by actions that follow the action of its namespace.\n{place}"
            ))),
            (_, None) => Err(ApiError::action(format!(
                "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). The \
                 following pipeline execution variables are referencing a namespace that does not exist.\n{place}"
            ))),
        }
    }
}
