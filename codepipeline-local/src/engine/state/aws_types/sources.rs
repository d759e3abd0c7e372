//! Sources that are Git repositories. Each has no input artifact and one output artifact (User Guide, "reference-pipeline-structure").

use super::super::{
    action_type::{ActionType, Property, TypeSettings},
    declaration::ActionTypeId,
};
use super::parts::{first_version, properties, property, up_to};

pub(super) fn all() -> [ActionType; 3] {
    [connection(), code_commit(), git_hub()]
}

fn source(id: ActionTypeId, settings: Option<TypeSettings>, configuration: Vec<Property>) -> ActionType {
    ActionType {
        id,
        settings,
        action_configuration_properties: configuration,
        input_artifact_details: up_to(0, 0),
        output_artifact_details: up_to(1, 1),
    }
}

/// A repository of GitHub, GitLab or Bitbucket through a connection (User Guide, "action-reference-CodestarConnectionSource").
fn connection() -> ActionType {
    let configuration =
        properties(&["ConnectionArn", "FullRepositoryId", "BranchName"], &["OutputArtifactFormat", "DetectChanges"]);
    source(first_version("Source", "CodeStarSourceConnection"), None, configuration)
}

/// A repository of CodeCommit (User Guide, "action-reference-CodeCommit").
fn code_commit() -> ActionType {
    let configuration =
        properties(&["RepositoryName", "BranchName"], &["PollForSourceChanges", "OutputArtifactFormat"]);
    source(first_version("Source", "CodeCommit"), None, configuration)
}

/// A repository of GitHub with a token of its own (User Guide, "appendix-github-oauth"). The links are in the AWS CLI Command
/// Reference, "list-action-types".
fn git_hub() -> ActionType {
    let mut configuration = properties(&["Owner", "Repo", "Branch"], &["PollForSourceChanges"]);
    configuration.push(Property { secret: true, ..property("OAuthToken", true) });
    let repository = "https://github.com/{Config:Owner}/{Config:Repo}";
    let settings = TypeSettings {
        entity_url_template: Some(format!("{repository}/tree/{{Config:Branch}}")),
        revision_url_template: Some(format!("{repository}/commit/{{RevisionId}}")),
        ..TypeSettings::default()
    };
    source(ActionTypeId::first("Source", "ThirdParty", "GitHub"), Some(settings), configuration)
}
