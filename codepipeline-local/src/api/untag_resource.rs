//! `UntagResource`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, read};
use crate::engine::Engine;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    engine.untag(&input.resource_arn, &input.tag_keys)?;
    Ok(json!({}))
}
