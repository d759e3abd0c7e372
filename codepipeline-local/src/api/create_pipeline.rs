//! `CreatePipeline`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, pipeline_input, read, write};
use crate::engine::{Engine, Tag};

#[derive(Deserialize)]
struct Input {
    pipeline: Value,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let declaration = pipeline_input::declaration(input.pipeline)?;
    let created = engine.create_pipeline(engine.now(), declaration, &input.tags)?;
    Ok(json!({"pipeline": write(engine.masked(&created))?, "tags": write(input.tags)?}))
}
