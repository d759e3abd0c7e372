//! `ListActionTypes`

use serde::Deserialize;
use serde_json::Value;

use super::{OperationResult, object, paging, read, write};
use crate::engine::{ActionType, ActionTypeId, Engine};

/// The greatest `MaximumArtifactCount` of the API model.
const MOST_SHOWN: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    action_owner_filter: Option<String>,
    region_filter: Option<String>,
    next_token: Option<String>,
}

pub(super) fn answer(engine: &mut Engine, input: Value) -> OperationResult {
    let input: Input = read(input)?;
    // Custom types exist in their own region, AWS's types in every region.
    let elsewhere = input.region_filter.is_some_and(|region| region != engine.settings.region);
    let mut types = Vec::new();
    for known in engine.available_action_types() {
        let wanted = input.action_owner_filter.as_ref().is_none_or(|owner| *owner == known.id.owner);
        if wanted && !(elsewhere && known.id.owner == "Custom") {
            let ActionTypeId { category, owner, provider, version } = &known.id;
            types.push((format!("{owner} {category} {provider} {version}"), write(shown(known))?));
        }
    }
    types.sort_by(|(left, _), (right, _)| left.cmp(right));
    let size = engine.settings.page_size;
    let page = paging::page("ListActionTypes", types.into_iter(), input.next_token.as_deref(), size)?;
    Ok(object([("actionTypes", page.items.into()), ("nextToken", page.next)]))
}

/// The type as the API model allows it to be shown: a Commands action may have ten inputs, and the model's counts end at five.
fn shown(known: &ActionType) -> ActionType {
    let mut shown = known.clone();
    for details in [&mut shown.input_artifact_details, &mut shown.output_artifact_details] {
        details.maximum_count = details.maximum_count.min(MOST_SHOWN);
    }
    shown
}
