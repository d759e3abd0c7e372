//! Checks of the members that only Commands actions have (User Guide, "action-reference-Commands").

use crate::engine::{
    error::ApiError,
    state::{ActionDeclaration, PipelineDeclaration},
};

pub(super) fn check(pipeline: &PipelineDeclaration, action: &ActionDeclaration) -> Result<(), ApiError> {
    let name = &action.name;
    if !action.action_type_id.is_aws("Compute", "Commands") {
        return match stray_member(action) {
            Some(member) => Err(ApiError::action(format!(
                "Action '{name}' has {member}, which only actions of the type Compute/AWS/Commands/1 can have; remove {member}"
            ))),
            None => Ok(()),
        };
    }
    if pipeline.pipeline_type == "V1" {
        return Err(ApiError::structure(format!(
            "Action '{name}' has the provider Commands, which only V2 pipelines can have; set pipelineType to V2"
        )));
    }
    if action.commands.is_empty() {
        return Err(ApiError::action(format!("Action '{name}' has no commands; add 1 to 50 commands")));
    }
    if let Some(index) = action.commands.iter().position(|command| command.trim_end().contains(['\n', '\r'])) {
        return Err(ApiError::action(format!(
            "Command {} of action '{name}' has several lines; write each line as a command of its own",
            index + 1
        )));
    }
    Ok(())
}

fn stray_member(action: &ActionDeclaration) -> Option<&'static str> {
    let has_files = action.output_artifacts.iter().any(|output| !output.files.is_empty());
    let members = [
        ("commands", !action.commands.is_empty()),
        ("outputVariables", !action.output_variables.is_empty()),
        ("environmentVariables", !action.environment_variables.is_empty()),
        ("files in an output artifact", has_files),
    ];
    members.into_iter().find(|(_, given)| *given).map(|(member, _)| member)
}
