//! Checks of stages and their actions.

use std::collections::BTreeSet;

use crate::engine::{
    error::ApiError,
    state::{ActionDeclaration, ExecutionMode, PipelineDeclaration},
};

/// User Guide, "limits".
const FEWEST_STAGES: usize = 2;
const MOST_STAGES: usize = 50;
const MOST_ACTIONS: usize = 1000;
const MOST_ACTIONS_PER_STAGE: usize = 100;

pub(super) fn check(pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    check_count(pipeline.stages.len())?;
    check_type(pipeline)?;
    check_sources(pipeline)?;
    let mut names = BTreeSet::new();
    for stage in &pipeline.stages {
        if !names.insert(&stage.name) {
            // Source: cdk-preflight, "stage-names-unique".
            return Err(ApiError::stage(format!("Stage name '{}' is used more than once", stage.name)));
        }
        if stage.actions.is_empty() || stage.actions.len() > MOST_ACTIONS_PER_STAGE {
            return Err(ApiError::stage(format!(
                "Stage '{}' has {} actions; a stage has 1 to {MOST_ACTIONS_PER_STAGE}",
                stage.name,
                stage.actions.len()
            )));
        }
        let mut names = BTreeSet::new();
        if let Some(again) = stage.actions.iter().find(|action| !names.insert(&action.name)) {
            return Err(ApiError::action(format!(
                "The action name '{}' is used more than once in stage '{}'",
                again.name, stage.name
            )));
        }
    }
    let actions = pipeline.actions().count();
    if actions > MOST_ACTIONS {
        return Err(ApiError::new(
            "LimitExceededException",
            format!("The pipeline has {actions} actions; the limit is {MOST_ACTIONS}"),
        ));
    }
    Ok(())
}

/// Sources: moto's tests (`test_create_pipeline_errors`), and cdk-preflight, "stage-count-max".
fn check_count(stages: usize) -> Result<(), ApiError> {
    if stages < FEWEST_STAGES {
        return Err(ApiError::structure(format!(
            "Pipeline has only {stages} stage(s). There should be a minimum of {FEWEST_STAGES} stages in a pipeline"
        )));
    }
    if stages > MOST_STAGES {
        return Err(ApiError::structure(format!(
            "Pipeline has too many stages. There can only be up to {MOST_STAGES} stages in a pipeline"
        )));
    }
    Ok(())
}

/// Sources: cdk-preflight, "v1-execution-mode", "v1-variables" and "variable-names-unique".
fn check_type(pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    if pipeline.pipeline_type == "V1" && pipeline.execution_mode != ExecutionMode::Superseded {
        return Err(ApiError::structure("QUEUED or PARALLEL mode can only be used with V2 pipelines"));
    }
    if pipeline.pipeline_type == "V1" && !pipeline.variables.is_empty() {
        return Err(ApiError::structure("Pipeline variable can only be used with V2 pipelines"));
    }
    let mut names = BTreeSet::new();
    match pipeline.variables.iter().find(|variable| !names.insert(&variable.name)) {
        Some(again) => Err(ApiError::structure(format!(
            "Variable names must be unique. The following variable name is already in use: {}",
            again.name
        ))),
        None => Ok(()),
    }
}

/// Sources: cdk-preflight, "first-stage-source-only", "non-source-stage-required" and
/// "source-action-first-stage-only".
fn check_sources(pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    let is_source = |action: &ActionDeclaration| action.action_type_id.category == "Source";
    let (first, later) = pipeline.stages.split_at(1.min(pipeline.stages.len()));
    if !first.iter().flat_map(|stage| &stage.actions).all(is_source) {
        return Err(ApiError::structure("Pipeline should start with a stage that only contains source actions"));
    }
    let mut later = later.iter().flat_map(|stage| &stage.actions).map(is_source).peekable();
    if later.peek().is_some() && later.clone().all(|source| source) {
        return Err(ApiError::structure("Pipeline should contain at least 1 action whose category is not Source"));
    }
    if later.any(|source| source) {
        return Err(ApiError::structure("Source actions can only be included in the first stage of the pipeline"));
    }
    Ok(())
}
