//! `CreateCustomActionType`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, read, write};
use crate::engine::{
    Engine,
    action_types::{ActionType, ArtifactDetails, Property, TypeSettings},
    declaration::{ActionTypeId, Tag},
    pipelines::check_tags,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    category: String,
    provider: String,
    version: String,
    settings: Option<TypeSettings>,
    #[serde(default)]
    configuration_properties: Vec<Property>,
    input_artifact_details: ArtifactDetails,
    output_artifact_details: ArtifactDetails,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> Answer {
    let input: Input = read(input)?;
    check_tags(&input.tags)?;
    let (category, provider, version) = (input.category, input.provider, input.version);
    let created = engine.create_action_type(ActionType {
        id: ActionTypeId { category, owner: "Custom".to_owned(), provider, version },
        settings: input.settings,
        action_configuration_properties: input.configuration_properties,
        input_artifact_details: input.input_artifact_details,
        output_artifact_details: input.output_artifact_details,
    })?;
    Ok(json!({"actionType": write(created)?, "tags": write(input.tags)?}))
}
