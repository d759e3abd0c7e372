//! The newest executions of a pipeline.

use std::collections::BTreeMap;

use serde_json::Value;

use super::summary::{Since, summary};
use super::transitions;
use crate::engine::{Engine, Execution, ExecutionNumber};
use crate::providers::Secrets;

pub(super) fn items(
    engine: &Engine,
    pipeline: &str,
    limit: usize,
    secrets: &Secrets,
) -> Result<BTreeMap<String, Value>, String> {
    let head = transitions::pipeline(engine, pipeline, secrets)?;
    let newest: Vec<(ExecutionNumber, &Execution)> = engine.executions_of(pipeline).take(limit).collect();
    let mut since = Since::new(engine, newest.last().map(|(first, _)| *first), secrets);
    let summaries = newest.into_iter().map(|(number, execution)| {
        let item = summary(engine, number, execution, &mut since);
        (execution.id.clone(), item)
    });
    Ok(summaries.chain([(transitions::KEY.to_owned(), head)]).collect())
}
