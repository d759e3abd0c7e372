//! `UpdatePipeline`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, pipeline_input, read, write};
use crate::engine::Engine;

#[derive(Deserialize)]
struct Input {
    pipeline: Value,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let declaration = pipeline_input::declaration(input.pipeline)?;
    let updated = engine.update_pipeline(engine.now(), declaration)?;
    Ok(json!({"pipeline": write(engine.masked(&updated))?}))
}
