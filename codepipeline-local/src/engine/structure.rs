//! Whether a pipeline's declaration can run (User Guide, "reference-pipeline-structure").

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Engine,
    action_types::ActionType,
    declaration::{ActionDeclaration, ExecutionMode, PipelineDeclaration, StageDeclaration},
    error::ApiError,
    variables::{self, EXECUTION_NAMESPACE, PIPELINE_NAMESPACE},
};

/// User Guide, "limits".
const STAGES: std::ops::RangeInclusive<usize> = 2..=50;
const MOST_ACTIONS: usize = 1000;
const MOST_ACTIONS_PER_STAGE: usize = 100;

/// S3 User Guide, "General purpose bucket naming rules".
const BUCKET_RULE: &str = "it must have 3 to 63 characters of [a-z0-9.-], begin and end with a letter or digit, and neither have two \
                           periods side by side nor look like an IP address";

/// Where an action stands: its stage's index and its run order. A smaller one is earlier.
type Standing = (usize, u32);

pub(super) fn check(engine: &Engine, pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    check_stages(pipeline)?;
    check_stores(engine, pipeline)?;
    let mut artifacts = BTreeMap::new();
    let mut namespaces: BTreeMap<&str, Standing> = BTreeMap::new();
    for (index, stage) in pipeline.stages.iter().enumerate() {
        for action in &stage.actions {
            let standing = (index, action.run_order);
            for output in &action.output_artifacts {
                if artifacts.insert(output.name.as_str(), standing).is_some() {
                    return Err(ApiError::structure(format!(
                        "The output artifact '{}' of action '{}' is the output of another action too; output artifact names must be unique within a pipeline",
                        output.name, action.name
                    )));
                }
            }
            if let Some(namespace) = &action.namespace {
                let reserved = [EXECUTION_NAMESPACE, PIPELINE_NAMESPACE].contains(&namespace.as_str());
                if reserved || namespaces.insert(namespace, standing).is_some() {
                    return Err(ApiError::structure(format!(
                        "The namespace '{namespace}' of action '{}' is {}",
                        action.name,
                        if reserved { "reserved" } else { "used by another action too" }
                    )));
                }
            }
        }
    }
    for (index, stage) in pipeline.stages.iter().enumerate() {
        for action in &stage.actions {
            let standing = (index, action.run_order);
            check_action(engine, pipeline, action, index)?;
            let mut inputs = BTreeSet::new();
            for input in &action.input_artifacts {
                if !inputs.insert(&input.name) {
                    return Err(ApiError::action(format!(
                        "The input artifact '{}' of action '{}' in stage '{}' is given more than once",
                        input.name, action.name, stage.name
                    )));
                }
                if artifacts.get(input.name.as_str()).is_none_or(|made| *made >= standing) {
                    return Err(ApiError::action(format!(
                        "The input artifact '{}' of action '{}' in stage '{}' is not an output artifact of an earlier action",
                        input.name, action.name, stage.name
                    )));
                }
            }
            check_references(pipeline, stage, action, standing, &namespaces)?;
        }
    }
    Ok(())
}

fn check_stages(pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    let count = pipeline.stages.len();
    let (fewest, most) = (STAGES.start(), STAGES.end());
    if count < *fewest {
        return Err(ApiError::structure(format!(
            "Pipeline has only {count} stage(s). There should be a minimum of {fewest} stages in a pipeline"
        )));
    }
    if count > *most {
        return Err(ApiError::structure(format!(
            "Pipeline has {count} stage(s). There should be a maximum of {most} stages in a pipeline"
        )));
    }
    let mut names = BTreeSet::new();
    for (index, stage) in pipeline.stages.iter().enumerate() {
        if !names.insert(&stage.name) {
            return Err(ApiError::stage(format!("The stage name '{}' is used more than once", stage.name)));
        }
        if stage.actions.is_empty() || stage.actions.len() > MOST_ACTIONS_PER_STAGE {
            return Err(ApiError::stage(format!(
                "Stage '{}' has {} actions; a stage has 1 to {MOST_ACTIONS_PER_STAGE}",
                stage.name,
                stage.actions.len()
            )));
        }
        let mut names = BTreeSet::new();
        for action in &stage.actions {
            if !names.insert(&action.name) {
                return Err(ApiError::action(format!(
                    "The action name '{}' is used more than once in stage '{}'",
                    action.name, stage.name
                )));
            }
            let source = action.action_type_id.category == "Source";
            if source != (index == 0) {
                let rule = if source {
                    "source actions can only be in the first stage"
                } else {
                    "the first stage can only have source actions"
                };
                return Err(ApiError::stage(format!(
                    "Stage '{}' has the action '{}' of category '{}'; {rule}",
                    stage.name, action.name, action.action_type_id.category
                )));
            }
        }
    }
    let actions = pipeline.actions().count();
    if actions > MOST_ACTIONS {
        return Err(ApiError::new(
            "LimitExceededException",
            format!("The pipeline has {actions} actions; the limit is {MOST_ACTIONS}"),
        ));
    }
    if pipeline.pipeline_type == "V1" && pipeline.execution_mode != ExecutionMode::Superseded {
        return Err(ApiError::structure("A pipeline of type V1 can only have the execution mode SUPERSEDED; use V2"));
    }
    if pipeline.pipeline_type == "V1" && !pipeline.variables.is_empty() {
        return Err(ApiError::structure("A pipeline of type V1 can not declare variables; use V2"));
    }
    Ok(())
}

fn check_stores(engine: &Engine, pipeline: &PipelineDeclaration) -> Result<(), ApiError> {
    let region = &engine.settings.region;
    if pipeline.artifact_store.is_some() != pipeline.artifact_stores.is_empty() {
        return Err(ApiError::structure("A pipeline has either an artifactStore or artifactStores"));
    }
    if let Some(store) = pipeline.stores().find(|store| !s3s::path::check_bucket_name(&store.location)) {
        return Err(ApiError::structure(format!(
            "The artifact store's location '{}' is no name for a bucket: {BUCKET_RULE}",
            store.location
        )));
    }
    if pipeline.store(region).is_none() {
        return Err(ApiError::structure(format!("artifactStores has no artifact store for the region '{region}'")));
    }
    Ok(())
}

fn check_action(
    engine: &Engine,
    pipeline: &PipelineDeclaration,
    action: &ActionDeclaration,
    stage: usize,
) -> Result<(), ApiError> {
    let (name, id) = (&action.name, &action.action_type_id);
    let Some(action_type) = engine.available_action_type(id) else {
        let mut message = format!(
            "{} in action '{name}' is not available in region '{}'",
            id.describe(),
            engine.settings.region.replace('-', "_").to_uppercase()
        );
        if id.owner != "Custom" {
            let known: Vec<String> = engine.own_action_types.iter().map(|known| known.id.path()).collect();
            message += "; codepipeline-local emulates, of the action types that users do not make: ";
            message += &known.join(", ");
        }
        return Err(ApiError::action(message));
    };
    if id.owner == "ThirdParty" && engine.connection(id, &pipeline.name).is_none() {
        return Err(ApiError::action(format!(
            "Action '{name}': pipeline '{}' has no connection for {}; add one to the connections file",
            pipeline.name,
            id.describe()
        )));
    }
    if let Some(region) = action.region.as_ref().filter(|region| **region != engine.settings.region) {
        return Err(ApiError::action(format!(
            "Action '{name}' is in the region '{region}'; codepipeline-local runs no cross-region actions, and its region is '{}'",
            engine.settings.region
        )));
    }
    for (what, details, count) in [
        ("input", action_type.input_artifact_details, action.input_artifacts.len()),
        ("output", action_type.output_artifact_details, action.output_artifacts.len()),
    ] {
        if !(details.minimum_count..=details.maximum_count).contains(&count) {
            return Err(ApiError::action(format!(
                "Action '{name}' has {count} {what} artifacts; its type takes {} to {}",
                details.minimum_count, details.maximum_count
            )));
        }
    }
    if stage == 0 && !action.input_artifacts.is_empty() {
        return Err(ApiError::action(format!("The source action '{name}' can not have input artifacts")));
    }
    check_configuration(action, action_type)
}

fn check_configuration(action: &ActionDeclaration, action_type: &ActionType) -> Result<(), ApiError> {
    let name = &action.name;
    let properties = &action_type.action_configuration_properties;
    for property in properties.iter().filter(|property| property.required) {
        if !action.configuration.contains_key(&property.name) {
            return Err(ApiError::action(format!(
                "Action configuration for action '{name}' is missing required configuration '{}'",
                property.name
            )));
        }
    }
    for (key, value) in &action.configuration {
        let Some(property) = properties.iter().find(|property| property.name == *key) else {
            return Err(ApiError::action(format!(
                "Action configuration for action '{name}' contains unknown configuration '{key}'"
            )));
        };
        let bucket = action.action_type_id.owner == "AWS" && key == "S3Bucket";
        if bucket && !value.contains("#{") && !s3s::path::check_bucket_name(value) {
            return Err(ApiError::action(format!("Action '{name}': its {key} is no name for a bucket: {BUCKET_RULE}")));
        }
        if property.queryable && !value.contains("#{") && !is_queryable_value(value) {
            return Err(ApiError::action(format!("Action '{name}': {}", queryable_rule(key))));
        }
    }
    Ok(())
}

/// What `PollForJobs` can ask for.
pub(super) fn is_queryable_value(value: &str) -> bool {
    (1..=50).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

pub(super) fn queryable_rule(property: &str) -> String {
    format!("the value of the queryable property '{property}' must have 1 to 50 characters of [a-zA-Z0-9_-]")
}

fn check_references(
    pipeline: &PipelineDeclaration,
    stage: &StageDeclaration,
    action: &ActionDeclaration,
    standing: Standing,
    namespaces: &BTreeMap<&str, Standing>,
) -> Result<(), ApiError> {
    for (property, value) in &action.configuration {
        let place = format!("configuration '{property}' of action '{}' in stage '{}'", action.name, stage.name);
        let references =
            variables::references(value).map_err(|wrong| ApiError::action(format!("The {place}: {wrong}")))?;
        for (namespace, key) in references {
            let known = match namespace {
                EXECUTION_NAMESPACE => key == "PipelineExecutionId",
                PIPELINE_NAMESPACE => pipeline.variables.iter().any(|variable| variable.name == key),
                _ => namespaces.get(namespace).is_some_and(|made| *made < standing),
            };
            if !known {
                return Err(ApiError::action(format!(
                    "The {place} refers to the variable #{{{namespace}.{key}}}, which no earlier action produces"
                )));
            }
        }
    }
    Ok(())
}
