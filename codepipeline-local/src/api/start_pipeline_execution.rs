//! `StartPipelineExecution`

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, read};
use crate::engine::{Engine, error::ApiError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    name: String,
    #[serde(default)]
    variables: Vec<Variable>,
    client_request_token: Option<String>,
    #[serde(default)]
    source_revisions: Vec<Value>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    if !input.source_revisions.is_empty() {
        return Err(ApiError::validation("codepipeline-local does not emulate sourceRevisions; remove them"));
    }
    let variables: BTreeMap<String, String> =
        input.variables.into_iter().map(|variable| (variable.name, variable.value)).collect();
    let id = engine.start_execution(engine.now(), &input.name, &variables, input.client_request_token)?;
    Ok(json!({"pipelineExecutionId": id}))
}
