//! `ListPipelineExecutions`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, get_pipeline_execution::trigger, object, paging, read, seconds};
use crate::engine::{Engine, Execution, ExecutionNumber, StageStatus};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    pipeline_name: String,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filter: Filter,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    succeeded_in_stage: Option<SucceededInStage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SucceededInStage {
    stage_name: Option<String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let version = engine.pipeline(&input.pipeline_name)?.latest().version;
    let stage = input.filter.succeeded_in_stage.and_then(|filter| filter.stage_name);
    let summaries = engine
        .executions_of(&input.pipeline_name)
        .filter(|(_, execution)| stage.as_ref().is_none_or(|stage| succeeded_in(execution, stage, version)))
        .map(|(number, execution)| (paging::newest_first(number), summary(engine, number, execution)));
    let size = input.max_results.unwrap_or(engine.settings.page_size);
    let page = paging::page("ListPipelineExecutions", summaries, input.next_token.as_deref(), size)?;
    Ok(object([("pipelineExecutionSummaries", page.items.into()), ("nextToken", page.next)]))
}

/// Whether the stage succeeded with the current version of the pipeline (API reference, "SucceededInStageFilter").
fn succeeded_in(execution: &Execution, stage: &str, version: u32) -> bool {
    let mut stages = execution.declaration.stages.iter().zip(&execution.stages);
    execution.declaration.version == version
        && stages.any(|(declared, status)| declared.name == stage && *status == StageStatus::Succeeded)
}

fn summary(engine: &Engine, number: ExecutionNumber, execution: &Execution) -> Value {
    let sources: Vec<Value> = engine
        .sources_of(number)
        .map(|(action, revision)| {
            object([
                ("actionName", action.declaration.name.clone().into()),
                ("revisionId", revision.id.clone().into()),
                ("revisionSummary", revision.summary.clone().into()),
                ("revisionUrl", engine.revision_url(action).into()),
            ])
        })
        .collect();
    object([
        ("pipelineExecutionId", execution.id.clone().into()),
        ("status", execution.status.name().into()),
        ("statusSummary", engine.status_summary(execution).into()),
        ("startTime", seconds(execution.started).into()),
        ("lastUpdateTime", seconds(execution.updated).into()),
        ("sourceRevisions", sources.into()),
        ("trigger", trigger(execution)),
        ("stopTrigger", execution.stop_reason.as_ref().map(|reason| json!({"reason": reason})).into()),
        ("executionMode", execution.declaration.execution_mode.name().into()),
        ("executionType", "STANDARD".into()),
    ])
}
