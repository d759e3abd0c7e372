//! `StartPipelineExecution`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read};
use crate::engine::{
    Engine,
    overrides::{RevisionOverride, RevisionType},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    name: String,
    #[serde(default)]
    variables: Vec<Variable>,
    client_request_token: Option<String>,
    #[serde(default)]
    source_revisions: Vec<SourceRevision>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceRevision {
    action_name: String,
    revision_type: RevisionType,
    revision_value: String,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let variables: BTreeMap<String, String> =
        input.variables.into_iter().map(|variable| (variable.name, variable.value)).collect();
    let overrides = input.source_revisions.into_iter().map(|given| RevisionOverride {
        action: given.action_name,
        kind: given.revision_type,
        value: given.revision_value,
    });
    let token = input.client_request_token;
    let id = engine.start_execution(engine.now(), &input.name, &variables, overrides.collect(), token)?;
    Ok(json!({"pipelineExecutionId": id}))
}
