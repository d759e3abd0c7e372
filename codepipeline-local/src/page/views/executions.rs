//! The newest executions of a pipeline.

use std::collections::BTreeMap;

use serde_json::Value;

use super::summary::{revisions_since, summary};
use super::transitions;
use crate::engine::{Engine, Execution, ExecutionNumber};

pub(super) fn items(engine: &Engine, pipeline: &str, limit: usize) -> Result<BTreeMap<String, Value>, String> {
    let head = transitions::pipeline(engine, pipeline)?;
    let newest: Vec<(ExecutionNumber, &Execution)> = engine.executions_of(pipeline).take(limit).collect();
    let mut revisions = newest.last().map(|(first, _)| revisions_since(engine, *first)).unwrap_or_default();
    let summaries = newest.into_iter().map(|(number, execution)| {
        let item = summary(engine, number, execution, &mut revisions);
        (execution.id.clone(), item)
    });
    Ok(summaries.chain([(transitions::KEY.to_owned(), head)]).collect())
}
