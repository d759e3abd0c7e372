//! `ListPipelines`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, object, paging, read, seconds};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    next_token: Option<String>,
    max_results: Option<usize>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let summaries = engine.pipelines.iter().map(|(name, pipeline)| {
        let latest = pipeline.latest();
        let summary = json!({
            "name": name,
            "version": latest.version,
            "pipelineType": latest.pipeline_type,
            "executionMode": latest.execution_mode.name(),
            "created": seconds(pipeline.created),
            "updated": seconds(pipeline.updated),
        });
        (name.clone(), summary)
    });
    let size = input.max_results.unwrap_or(engine.settings.page_size);
    let page = paging::page("ListPipelines", summaries, input.next_token.as_deref(), size)?;
    Ok(object([("pipelines", page.items.into()), ("nextToken", page.next)]))
}
