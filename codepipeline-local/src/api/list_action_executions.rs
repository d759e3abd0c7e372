//! `ListActionExecutions`

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, job_data::type_id, object, paging, read, seconds};
use crate::engine::{ActionExecution, ActionStatus, Artifact, Engine, Execution};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    #[serde(default)]
    filter: Filter,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    pipeline_execution_id: Option<String>,
    latest_in_pipeline_execution: Option<Latest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Latest {
    pipeline_execution_id: String,
    start_time_range: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let name = &input.pipeline_name;
    engine.pipeline(name)?;
    let only_latest =
        input.filter.latest_in_pipeline_execution.as_ref().is_some_and(|latest| latest.start_time_range == "Latest");
    let latest_id = input.filter.latest_in_pipeline_execution.map(|latest| latest.pipeline_execution_id);
    let wanted: Vec<&String> = input.filter.pipeline_execution_id.iter().chain(&latest_id).collect();
    for id in &wanted {
        engine.execution(name, id)?;
    }
    let mut seen = BTreeSet::new();
    let details = engine
        .actions_of(name)
        .filter(|(_, execution, _)| wanted.iter().all(|id| **id == execution.id))
        .filter(|(_, _, action)| !only_latest || seen.insert((&action.stage, &action.declaration.name)))
        .map(|(number, execution, action)| (paging::newest_first(number), detail(engine, execution, action)));
    let size = input.max_results.unwrap_or(engine.settings.page_size);
    let page = paging::page("ListActionExecutions", details, input.next_token.as_deref(), size)?;
    Ok(object([("actionExecutionDetails", page.items.into()), ("nextToken", page.next)]))
}

fn detail(engine: &Engine, execution: &Execution, action: &ActionExecution) -> Value {
    let declared = &action.declaration;
    let masked = |configuration| engine.masked_configuration(&declared.action_type_id, configuration);
    let error = action.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    let finished = action.status != ActionStatus::InProgress;
    let output = object([
        ("outputArtifacts", if finished { places(&action.outputs) } else { Value::Null }),
        (
            "executionResult",
            object([
                ("externalExecutionId", action.external_id.clone().into()),
                ("externalExecutionSummary", action.summary.clone().into()),
                ("externalExecutionUrl", engine.external_url(action).into()),
                ("errorDetails", error.into()),
            ]),
        ),
        ("outputVariables", if finished { json!(action.variables) } else { Value::Null }),
    ]);
    object([
        ("pipelineExecutionId", execution.id.clone().into()),
        ("actionExecutionId", action.id.clone().into()),
        ("pipelineVersion", execution.declaration.version.into()),
        ("stageName", action.stage.clone().into()),
        ("actionName", declared.name.clone().into()),
        ("startTime", seconds(action.started).into()),
        ("lastUpdateTime", seconds(action.updated).into()),
        ("updatedBy", action.updated_by.clone().into()),
        ("status", action.status.name().into()),
        (
            "input",
            object([
                ("actionTypeId", type_id(&declared.action_type_id)),
                ("configuration", json!(masked(&declared.configuration))),
                ("resolvedConfiguration", json!(masked(&action.configuration))),
                ("roleArn", declared.role_arn.clone().into()),
                ("region", engine.settings.region.clone().into()),
                ("inputArtifacts", places(&action.inputs)),
                ("namespace", declared.namespace.clone().into()),
            ]),
        ),
        ("output", output),
    ])
}

fn places(artifacts: &[Artifact]) -> Value {
    artifacts
        .iter()
        .map(|artifact| {
            json!({
                "name": artifact.name,
                "s3location": {"bucket": artifact.location.bucket, "key": artifact.location.key},
            })
        })
        .collect()
}
