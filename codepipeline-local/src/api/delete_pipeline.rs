//! `DeletePipeline`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, read};
use crate::engine::Engine;

#[derive(Deserialize)]
struct Input {
    name: String,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    engine.delete_pipeline(&input.name);
    Ok(Value::Null)
}
