//! `DeleteCustomActionType`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, read};
use crate::engine::{ActionTypeId, Engine};

#[derive(Deserialize)]
struct Input {
    category: String,
    provider: String,
    version: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let Input { category, provider, version } = read(input)?;
    engine.delete_action_type(&ActionTypeId { category, owner: "Custom".to_owned(), provider, version });
    Ok(Value::Null)
}
