//! `CreateCustomActionType`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperationResult, read, write};
use crate::engine::{ActionType, ActionTypeId, ArtifactDetails, Engine, Property, Tag, TypeSettings};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
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

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let mut input: Input = read(input)?;
    let tags = std::mem::take(&mut input.tags);
    let created = engine.create_action_type(input.action_type("Custom"), &tags)?;
    let tags = write(engine.tags(&engine.action_type_arn(&created.id))?)?;
    Ok(json!({"actionType": write(created)?, "tags": tags}))
}

impl Input {
    pub(super) fn action_type(self, owner: &str) -> ActionType {
        let (category, provider, version) = (self.category, self.provider, self.version);
        ActionType {
            id: ActionTypeId { category, owner: owner.to_owned(), provider, version },
            settings: self.settings,
            action_configuration_properties: self.configuration_properties,
            input_artifact_details: self.input_artifact_details,
            output_artifact_details: self.output_artifact_details,
        }
    }
}
