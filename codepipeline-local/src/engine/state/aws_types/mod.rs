//! The action types of AWS and GitHub that the emulator knows. The engine runs
//! some itself; providers run the others.

use super::{
    action_type::{ActionType, TypeSettings},
    declaration::ActionTypeId,
};
use crate::engine::provided::Provided;
use parts::{first_version, linked, properties, up_to};

mod others;
mod parts;
mod sources;

/// The types that pipelines may use: those that the engine runs itself, those of providers, and stand-ins.
pub(in crate::engine) fn provided(settings: &Provided) -> Vec<ActionType> {
    let is_stand_in = |id: &ActionTypeId| settings.stand_ins.contains(id);
    let own = own().into_iter().filter(|own| !is_stand_in(&own.id) && !settings.emulated.contains(&own.id));
    let emulated = settings.emulated.iter().filter(|id| !is_stand_in(id));
    let emulated = emulated.map(|id| known(id).unwrap_or_else(|| any(id)));
    own.chain(emulated).chain(settings.stand_ins.iter().map(stand_in)).collect()
}

/// The types that the engine runs itself.
fn own() -> Vec<ActionType> {
    vec![s3_source(), manual_approval(), lambda_invoke()]
}

/// The definition of a type. `None` if the emulator does not know it.
fn known(id: &ActionTypeId) -> Option<ActionType> {
    own().into_iter().chain(sources::all()).chain(others::all()).find(|known| known.id == *id)
}

/// The definition of a type that a command stands in for. Its links say so. A known type keeps its own properties and numbers of
/// artifacts. An unknown one has no properties, and up to ten artifacts.
fn stand_in(id: &ActionTypeId) -> ActionType {
    let mut action_type = known(id).unwrap_or_else(|| any(id));
    // No name ends with `.invalid` (RFC 2606), so the link can't be one of the real provider.
    let link = Some(format!("https://stand-in.invalid/{}", id.name()));
    action_type.settings = Some(TypeSettings { entity_url_template: link, ..TypeSettings::default() });
    action_type
}

/// The definition of a type about which nothing is known. The numbers of artifacts are the greatest that the User Guide has for any type.
fn any(id: &ActionTypeId) -> ActionType {
    ActionType {
        id: id.clone(),
        settings: None,
        action_configuration_properties: Vec::new(),
        input_artifact_details: up_to(0, 10),
        output_artifact_details: up_to(0, 10),
    }
}

/// The manual approval (User Guide, "approvals").
fn manual_approval() -> ActionType {
    ActionType {
        id: first_version("Approval", "Manual"),
        settings: linked("{Config:ExternalEntityLink}"),
        action_configuration_properties: properties(&[], &["NotificationArn", "ExternalEntityLink", "CustomData"]),
        input_artifact_details: up_to(0, 0),
        output_artifact_details: up_to(0, 0),
    }
}

/// The S3 source action of version 1 (User Guide, "action-reference-S3").
fn s3_source() -> ActionType {
    ActionType {
        id: first_version("Source", "S3"),
        settings: linked("https://s3.console.aws.amazon.com/s3/buckets/{Config:S3Bucket}"),
        action_configuration_properties: properties(
            &["S3Bucket", "S3ObjectKey"],
            &["PollForSourceChanges", "AllowOverrideForS3ObjectKey"],
        ),
        input_artifact_details: up_to(0, 0),
        output_artifact_details: up_to(1, 1),
    }
}

/// The Lambda invoke action.
fn lambda_invoke() -> ActionType {
    ActionType {
        id: first_version("Invoke", "Lambda"),
        settings: None,
        action_configuration_properties: properties(&["FunctionName"], &["UserParameters"]),
        input_artifact_details: up_to(0, 5),
        output_artifact_details: up_to(0, 5),
    }
}
