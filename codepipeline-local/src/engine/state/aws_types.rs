//! The action types of AWS that the emulator provides.

use super::{
    action_type::{ActionType, ArtifactDetails, Property, TypeSettings},
    declaration::ActionTypeId,
};

fn property(name: &str, required: bool) -> Property {
    Property {
        name: name.to_owned(),
        required,
        key: required,
        secret: false,
        queryable: false,
        description: None,
        kind: None,
    }
}

fn first_version(category: &str, provider: &str) -> ActionTypeId {
    ActionTypeId {
        category: category.to_owned(),
        owner: "AWS".to_owned(),
        provider: provider.to_owned(),
        version: "1".to_owned(),
    }
}

/// The manual approval (User Guide, "approvals").
pub(in crate::engine) fn manual_approval() -> ActionType {
    let none = ArtifactDetails { minimum_count: 0, maximum_count: 0 };
    let entity_url_template = Some("{Config:ExternalEntityLink}".to_owned());
    ActionType {
        id: first_version("Approval", "Manual"),
        settings: Some(TypeSettings { entity_url_template, ..TypeSettings::default() }),
        action_configuration_properties: vec![
            property("NotificationArn", false),
            property("ExternalEntityLink", false),
            property("CustomData", false),
        ],
        input_artifact_details: none,
        output_artifact_details: none,
    }
}

/// The S3 source action of version 1 (User Guide, "action-reference-S3").
pub(in crate::engine) fn s3_source() -> ActionType {
    ActionType {
        id: first_version("Source", "S3"),
        settings: Some(TypeSettings {
            entity_url_template: Some("https://s3.console.aws.amazon.com/s3/buckets/{Config:S3Bucket}".to_owned()),
            ..TypeSettings::default()
        }),
        action_configuration_properties: vec![
            property("S3Bucket", true),
            property("S3ObjectKey", true),
            property("PollForSourceChanges", false),
            property("AllowOverrideForS3ObjectKey", false),
        ],
        input_artifact_details: ArtifactDetails { minimum_count: 0, maximum_count: 0 },
        output_artifact_details: ArtifactDetails { minimum_count: 1, maximum_count: 1 },
    }
}

/// The Lambda invoke action.
pub(in crate::engine) fn lambda_invoke() -> ActionType {
    let any = ArtifactDetails { minimum_count: 0, maximum_count: 5 };
    ActionType {
        id: first_version("Invoke", "Lambda"),
        settings: None,
        action_configuration_properties: vec![property("FunctionName", true), property("UserParameters", false)],
        input_artifact_details: any,
        output_artifact_details: any,
    }
}
