//! Builds, commands, deployments to S3, and state machines.

use super::super::action_type::ActionType;
use super::parts::{first_version, properties, up_to};

pub(super) fn all() -> [ActionType; 5] {
    [code_build("Build"), code_build("Test"), commands(), s3_deploy(), step_functions()]
}

/// A build or test by CodeBuild (User Guide, "action-reference-CodeBuild").
fn code_build(category: &str) -> ActionType {
    let optional = ["PrimarySource", "BatchEnabled", "BuildspecOverride", "CombineArtifacts", "EnvironmentVariables"];
    ActionType {
        id: first_version(category, "CodeBuild"),
        settings: None,
        action_configuration_properties: properties(&["ProjectName"], &optional),
        input_artifact_details: up_to(1, 5),
        output_artifact_details: up_to(0, 5),
    }
}

/// Shell commands (User Guide, "action-reference-Commands"). The commands are not in the configuration.
fn commands() -> ActionType {
    let optional = ["EnvironmentType", "ComputeType", "VpcId", "Subnets", "SecurityGroupIds"];
    ActionType {
        id: first_version("Compute", "Commands"),
        settings: None,
        action_configuration_properties: properties(&[], &optional),
        input_artifact_details: up_to(1, 10),
        output_artifact_details: up_to(0, 1),
    }
}

/// Files that are copied to a bucket (User Guide, "action-reference-S3Deploy").
fn s3_deploy() -> ActionType {
    let optional = ["ObjectKey", "KMSEncryptionKeyARN", "CannedACL", "CacheControl"];
    ActionType {
        id: first_version("Deploy", "S3"),
        settings: None,
        action_configuration_properties: properties(&["BucketName", "Extract"], &optional),
        input_artifact_details: up_to(1, 1),
        output_artifact_details: up_to(0, 0),
    }
}

/// An execution of a state machine (User Guide, "action-reference-StepFunctions").
fn step_functions() -> ActionType {
    let optional = ["ExecutionNamePrefix", "InputType", "Input"];
    ActionType {
        id: first_version("Invoke", "StepFunctions"),
        settings: None,
        action_configuration_properties: properties(&["StateMachineArn"], &optional),
        input_artifact_details: up_to(0, 1),
        output_artifact_details: up_to(0, 1),
    }
}
