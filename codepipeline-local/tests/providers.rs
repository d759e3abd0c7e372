//! A pipeline of AWS's own actions: a git source from a folder, and an S3 deployment.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use aws_sdk_codepipeline::types::{
    ActionCategory, ActionDeclaration, ActionExecutionDetail, ActionOwner, InputArtifact, OutputArtifact,
    PipelineExecution, PipelineExecutionStatus, StageDeclaration,
};
use aws_sdk_s3::types::ServerSideEncryption;
use codepipeline_local::Options;
use codepipeline_local::clock::Clock;
use codepipeline_local::providers::{ActionTypeId, DeployS3, Providers, Source};
use support::{Scenario, action_type, declaration};
use tempfile::TempDir;

const BUCKET: &str = "site";

/// A git repository with a commit of these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    git(folder.path(), &["add", "--all"]);
    let who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    git(folder.path(), &[&who[..], &["commit", "--quiet", "--message", "first"]].concat());
    folder
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn action(
    name: &str,
    (category, provider): (ActionCategory, &str),
    configuration: &[(&str, &str)],
) -> ActionDeclaration {
    let mut action = ActionDeclaration::builder()
        .name(name)
        .action_type_id(action_type(category.clone(), ActionOwner::Aws, provider))
        .set_configuration(Some(
            configuration.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ));
    action = match category {
        ActionCategory::Source => {
            action.namespace("App").output_artifacts(OutputArtifact::builder().name("App").build().unwrap())
        }
        _ => action.input_artifacts(InputArtifact::builder().name("App").build().unwrap()),
    };
    action.build().unwrap()
}

/// Runs a pipeline that deploys the folder, and returns its execution at its end.
async fn deploy(folder: &Path, configuration: &[(&str, &str)]) -> (Scenario, PipelineExecution) {
    let mut providers = Providers::default();
    let folders = BTreeMap::from([("App".to_owned(), folder.to_owned())]);
    providers.emulate(ActionTypeId::first("Source", "AWS", "CodeCommit"), Arc::new(Source::new(folders)));
    providers.emulate(ActionTypeId::first("Deploy", "AWS", "S3"), Arc::new(DeployS3::new(Clock::machine())));
    let scenario = Scenario::with(Options { providers, ..Options::default() }).await;
    scenario.objects.create_bucket().bucket(BUCKET).send().await.unwrap();

    let repository = [("RepositoryName", "web"), ("BranchName", "main")];
    let source = action("App", (ActionCategory::Source, "CodeCommit"), &repository);
    let deployment = action("Site", (ActionCategory::Deploy, "S3"), configuration);
    let stage = |name: &str, action| StageDeclaration::builder().name(name).actions(action).build().unwrap();
    let mut pipeline = declaration(action_type(ActionCategory::Deploy, ActionOwner::Aws, "S3"), &[]);
    pipeline.stages = vec![stage("Source", source), stage("Deploy", deployment)];
    scenario.pipelines.create_pipeline().pipeline(pipeline).send().await.unwrap();
    let started = scenario.pipelines.start_pipeline_execution().name("pipe").send().await.unwrap();
    let id = started.pipeline_execution_id().unwrap();
    loop {
        let asked = scenario.pipelines.get_pipeline_execution().pipeline_name("pipe").pipeline_execution_id(id);
        let execution = asked.send().await.unwrap().pipeline_execution.unwrap();
        if execution.status() != Some(&PipelineExecutionStatus::InProgress) {
            return (scenario, execution);
        }
    }
}

/// The details of an action's last execution.
async fn details(scenario: &Scenario, action: &str) -> ActionExecutionDetail {
    let listed = scenario.pipelines.list_action_executions().pipeline_name("pipe").send().await.unwrap();
    let found = listed.action_execution_details.unwrap().into_iter().find(|it| it.action_name() == Some(action));
    found.unwrap()
}

#[tokio::test]
async fn git_work_tree_is_deployed_to_a_bucket() {
    let folder = repository(&[("index.html", "<p>"), ("app.js", "go()"), (".gitignore", "*.log\n")]);
    std::fs::write(folder.path().join("debug.log"), "").unwrap();
    let commit = git(folder.path(), &["rev-parse", "HEAD"]);
    let configuration = [
        ("BucketName", BUCKET),
        ("Extract", "true"),
        ("ObjectKey", "#{App.CommitId}"),
        ("CacheControl", "max-age=60"),
        ("KMSEncryptionKeyARN", "a-key"),
    ];
    let (scenario, execution) = deploy(folder.path(), &configuration).await;
    let site = details(&scenario, "Site").await;
    assert_eq!(execution.status(), Some(&PipelineExecutionStatus::Succeeded), "{site:?}");
    let revision = &execution.artifact_revisions()[0];
    assert_eq!((revision.revision_id(), revision.revision_summary()), (Some(commit.as_str()), Some("first")));
    let app = details(&scenario, "App").await;
    let variables = app.output.unwrap().output_variables.unwrap();
    assert_eq!((variables["CommitId"].as_str(), variables["RepositoryName"].as_str()), (commit.as_str(), "web"));

    let head = |name: &str| scenario.objects.head_object().bucket(BUCKET).key(format!("{commit}/{name}")).send();
    let page = head("index.html").await.unwrap();
    assert_eq!((page.content_type(), page.cache_control()), (Some("text/html"), Some("max-age=60")));
    assert_eq!(page.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(page.ssekms_key_id(), Some("a-key"));
    assert_eq!(head("app.js").await.unwrap().content_type(), Some("text/javascript"));
    assert!(head(".gitignore").await.is_ok() && head("debug.log").await.is_err());
}

#[tokio::test]
async fn mistake_in_the_configuration_fails_the_action() {
    let folder = repository(&[("index.html", "<p>")]);
    let configuration = [("BucketName", BUCKET), ("Extract", "MARKER")];
    let (scenario, execution) = deploy(folder.path(), &configuration).await;
    assert_eq!(execution.status(), Some(&PipelineExecutionStatus::Failed));
    let site = details(&scenario, "Site").await;
    let error = site.output.unwrap().execution_result.unwrap().error_details.unwrap();
    assert_eq!(error.code(), Some("ConfigurationError"));
    let message = error.message().unwrap();
    assert!(message.contains("Extract must be true or false") && !message.contains("MARKER"), "{message}");
}
