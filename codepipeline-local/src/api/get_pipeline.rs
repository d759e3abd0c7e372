//! `GetPipeline`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read, seconds, write};
use crate::engine::{Engine, error::ApiError};

#[derive(Deserialize)]
struct Input {
    name: String,
    version: Option<u32>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    let pipeline = engine.pipeline(&input.name)?;
    let declaration = match input.version {
        None => pipeline.latest(),
        Some(version) => pipeline.version(version).ok_or_else(|| {
            let message = format!("Pipeline '{}' has no version {version}", input.name);
            ApiError::new("PipelineVersionNotFoundException", message)
        })?,
    };
    Ok(json!({
        "pipeline": write(engine.masked(declaration))?,
        "metadata": {
            "pipelineArn": engine.pipeline_arn(&input.name),
            "created": seconds(pipeline.created),
            "updated": seconds(pipeline.updated),
        },
    }))
}
