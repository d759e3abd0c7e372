//! `GetPipelineExecution`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, object, read, seconds};
use crate::engine::{Engine, Execution, ExecutionNumber};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    pipeline_execution_id: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let (number, execution) = engine.execution(&input.pipeline_name, &input.pipeline_execution_id)?;
    let variables: Vec<Value> =
        execution.variables().map(|(name, value)| json!({"name": name, "resolvedValue": value})).collect();
    Ok(json!({"pipelineExecution": object([
        ("pipelineName", execution.pipeline.clone().into()),
        ("pipelineVersion", execution.declaration.version.into()),
        ("pipelineExecutionId", execution.id.clone().into()),
        ("status", execution.status.name().into()),
        ("statusSummary", engine.status_summary(execution).into()),
        ("artifactRevisions", artifact_revisions(engine, number).into()),
        ("variables", if variables.is_empty() { Value::Null } else { variables.into() }),
        ("trigger", trigger(execution)),
        ("executionMode", execution.declaration.execution_mode.name().into()),
        ("executionType", "STANDARD".into()),
    ])}))
}

pub(super) fn trigger(execution: &Execution) -> Value {
    json!({"triggerType": execution.trigger.kind.name(), "triggerDetail": execution.trigger.detail})
}

/// The artifact revisions of the source actions.
fn artifact_revisions(engine: &Engine, execution: ExecutionNumber) -> Vec<Value> {
    let sources = engine.sources_of(execution);
    sources
        .flat_map(|(action, revision)| {
            action.outputs.iter().map(move |output| {
                object([
                    ("name", output.name.clone().into()),
                    ("revisionId", revision.id.clone().into()),
                    ("revisionChangeIdentifier", revision.change_id.clone().into()),
                    ("revisionSummary", revision.summary.clone().into()),
                    ("created", seconds(revision.created).into()),
                    ("revisionUrl", engine.revision_url(action).into()),
                ])
            })
        })
        .collect()
}
