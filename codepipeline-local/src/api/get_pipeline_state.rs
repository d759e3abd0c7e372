//! `GetPipelineState`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, object, read, seconds};
use crate::engine::{
    ActionDeclaration, ActionExecution, Engine, Execution, StageDeclaration,
    urls::{self, Ids},
};

#[derive(Deserialize)]
struct Input {
    name: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let pipeline = engine.pipeline(&input.name)?;
    let latest = pipeline.latest();
    let stages = latest.stages.iter().map(|stage| stage_state(engine, &input.name, stage));
    Ok(json!({
        "pipelineName": input.name,
        "pipelineVersion": latest.version,
        "stageStates": stages.collect::<Vec<Value>>(),
        "created": seconds(pipeline.created),
        "updated": seconds(pipeline.updated),
    }))
}

fn stage_state(engine: &Engine, pipeline: &str, stage: &StageDeclaration) -> Value {
    let index = |execution: &Execution| execution.declaration.stages.iter().position(|known| known.name == stage.name);
    let entered = engine.executions_of(pipeline).find_map(|(_, execution)| {
        let status = execution.stages.get(index(execution)?)?;
        let retry = execution
            .retries
            .get(&stage.name)
            .map(|count| json!({"manualStageRetryAttempt": count, "latestRetryTrigger": "ManualStageRetry"}));
        Some((json!({"pipelineExecutionId": execution.id, "status": status.name(), "type": "STANDARD"}), retry))
    });
    let (entered, retry) = entered.unzip();
    let waiting: Vec<Value> = engine
        .executions_of(pipeline)
        .filter(|(_, execution)| execution.waits_for().is_some() && execution.waits_for() == index(execution))
        .map(|(_, execution)| json!({"pipelineExecutionId": execution.id, "status": "InProgress", "type": "STANDARD"}))
        .collect();
    object([
        ("stageName", stage.name.clone().into()),
        ("inboundExecution", waiting.first().cloned().into()),
        ("inboundExecutions", if waiting.is_empty() { Value::Null } else { waiting.into() }),
        ("inboundTransitionState", transition(engine, pipeline, &stage.name)),
        ("actionStates", stage.actions.iter().map(|action| action_state(engine, pipeline, stage, action)).collect()),
        ("latestExecution", entered.into()),
        ("retryStageMetadata", retry.flatten().into()),
    ])
}

fn transition(engine: &Engine, pipeline: &str, stage: &str) -> Value {
    match engine.pipelines.get(pipeline).and_then(|pipeline| pipeline.disabled.get(stage)) {
        None => json!({"enabled": true}),
        Some(disabled) => json!({
            "enabled": false,
            "disabledReason": disabled.reason,
            "lastChangedAt": seconds(disabled.at),
            "lastChangedBy": engine.user_arn(),
        }),
    }
}

fn action_state(engine: &Engine, pipeline: &str, stage: &StageDeclaration, declared: &ActionDeclaration) -> Value {
    let latest = engine
        .actions_of(pipeline)
        .map(|(_, _, action)| action)
        .find(|action| action.stage == stage.name && action.declaration.name == declared.name);
    let settings = engine.known_action_type(&declared.action_type_id).and_then(|known| known.settings.as_ref());
    // An earlier version of the type may declare a property secret that this version's templates name.
    let same_type = latest.filter(|action| action.declaration.action_type_id == declared.action_type_id);
    let configuration = same_type.map_or(&declared.configuration, |action| &action.configuration);
    let current = engine.current_revision(pipeline, &stage.name, &declared.name);
    let ids = Ids { revision: current.map(|revision| revision.id.as_str()), ..Ids::default() };
    let url = |template: Option<&String>| template.and_then(|template| urls::fill(template, configuration, ids));
    let revision = current.map(|revision| {
        json!({
            "revisionId": revision.id,
            "revisionChangeId": revision.change_id,
            "created": seconds(revision.created),
        })
    });
    object([
        ("actionName", declared.name.clone().into()),
        ("currentRevision", revision.into()),
        ("latestExecution", latest.map(|action| latest_execution(engine, action)).into()),
        ("entityUrl", url(settings.and_then(|settings| settings.entity_url_template.as_ref())).into()),
        ("revisionUrl", url(settings.and_then(|settings| settings.revision_url_template.as_ref())).into()),
    ])
}

fn latest_execution(engine: &Engine, action: &ActionExecution) -> Value {
    let error = action.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    object([
        ("actionExecutionId", action.id.clone().into()),
        ("status", action.status.name().into()),
        ("token", action.open_approval().into()),
        ("summary", action.summary.clone().into()),
        ("lastStatusChange", seconds(action.updated).into()),
        ("lastUpdatedBy", action.updated_by.clone().into()),
        ("externalExecutionId", action.external_id.clone().into()),
        ("externalExecutionUrl", engine.external_url(action).into()),
        ("percentComplete", action.percent_complete.into()),
        ("errorDetails", error.into()),
    ])
}
