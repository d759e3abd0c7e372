//! `TagResource`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, read};
use crate::engine::{Engine, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    resource_arn: String,
    tags: Vec<Tag>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    engine.tag(&input.resource_arn, &input.tags)?;
    Ok(json!({}))
}
