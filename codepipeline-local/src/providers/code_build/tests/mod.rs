//! CodeBuild actions with real shells.

use super::super::build_testing::{files, task_with, texts};
use super::super::testing::Place as Workshop;
use super::*;
use crate::providers::Secrets;

mod sources;

fn code_build(project: Project) -> CodeBuild {
    CodeBuild::new([("web".to_owned(), project)].into(), Notice::default(), Clock::machine())
}

fn configure(task: &mut Task, pairs: &[(&str, &str)]) {
    task.configuration.insert("ProjectName".to_owned(), "web".to_owned());
    task.configuration.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
}

/// Runs a build whose only input has these files, with this configuration.
async fn run(
    place: &Workshop,
    project: Project,
    inputs: &[(&str, &str)],
    outputs: &[&str],
    pairs: &[(&str, &str)],
) -> Result<Done, Failed> {
    let mut task = task_with(place, &[("Source", inputs)], outputs).await;
    configure(&mut task, pairs);
    code_build(project).run(task, &place.work).await
}

fn message(result: Result<Done, Failed>) -> String {
    result.err().expect("the action succeeded").to_string()
}

const ECHO: &str =
    "version: 0.2\nphases:\n  build:\n    commands:\n      - echo built > out.txt\nartifacts:\n  files: out.txt\n";

#[tokio::test]
async fn build_stores_its_artifact_and_exports_variables() {
    let place = Workshop::new();
    let buildspec =
        format!("env: {{exported-variables: [VERSION]}}\n{ECHO}").replace("- echo", "- VERSION=1.10 && echo");
    let done = run(&place, Project::default(), &[("buildspec.yml", &buildspec)], &["Site"], &[]).await.ok().unwrap();
    assert_eq!(done.variables["VERSION"], "1.10");
    assert!(done.external_id.unwrap().starts_with("web:"));
    assert_eq!(files(&place, "Site").await, ["out.txt: built"]);
    assert!(texts(&place).contains(&"stored 1 file as the artifact Site".to_owned()));
}

#[tokio::test]
async fn action_overrides_project_and_project_overrides_buildspec() {
    let place = Workshop::with_secret("/db/password", "hunter2");
    let buildspec = "version: 0.2\nenv:\n  variables: {A: spec, B: spec, C: spec, CODEBUILD_SRC_DIR: x}\nphases:\n  build:\n    commands:\n      \
        - echo $A $B $C; test -d \"$CODEBUILD_SRC_DIR\"; test \"$P\" = hunter2 && echo \"p is $P\"\n";
    let project = Project::default().with_variable("B", "project", "PLAINTEXT").unwrap();
    let project = project.with_variable("C", "project", "PLAINTEXT").unwrap().with_buildspec(buildspec);
    let variables = r#"[{"name":"C","value":"action"},{"name":"P","value":"/db/password","type":"PARAMETER_STORE"}]"#;
    let pairs = [("EnvironmentVariables", variables)];
    assert!(run(&place, project, &[("a", "a")], &[], &pairs).await.is_ok());
    let lines = texts(&place);
    assert!(lines.contains(&"spec project action".to_owned()) && lines.contains(&"p is ***".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn member_of_a_secret_is_masked() {
    let secrets = Secrets::new([("db".to_owned(), r#"{"password": "hunter2"}"#.to_owned().into())]);
    let place = Workshop::with(secrets);
    let buildspec = "version: 0.2\nenv:\n  secrets-manager: {P: 'db:password'}\nphases:\n  build:\n    commands:\n      - echo \"p is $P\"\n";
    assert!(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &[], &[]).await.is_ok());
    assert!(texts(&place).contains(&"p is ***".to_owned()), "{:?}", texts(&place));
}

#[tokio::test]
async fn build_finds_the_variables_of_code_build() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\nphases:\n  build:\n    commands:\n      - env | sort | grep -E '^(AWS|CODEBUILD)_' > env.txt\n      \
        - test \"$PWD\" = \"$CODEBUILD_SRC_DIR\"\nartifacts:\n  files: env.txt\n";
    let project = Project::default().with_buildspec(buildspec).with_image("an-image");
    assert!(run(&place, project, &[("a", "a")], &["Out"], &[]).await.is_ok());
    let env = files(&place, "Out").await.remove(0);
    for variable in [
        "AWS_DEFAULT_REGION=us-east-1",
        "AWS_REGION=us-east-1",
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566\n",
        "AWS_ACCESS_KEY_ID=local\n",
        "AWS_SECRET_ACCESS_KEY=local\n",
        "CODEBUILD_BUILD_ARN=arn:aws:codebuild:us-east-1:123456789012:build/web:",
        "CODEBUILD_BUILD_ID=web:",
        "CODEBUILD_BUILD_IMAGE=an-image\n",
        "CODEBUILD_BUILD_NUMBER=1\n",
        "CODEBUILD_BUILD_SUCCEEDING=1\n",
        "CODEBUILD_INITIATOR=codepipeline/web\n",
        "CODEBUILD_KMS_KEY_ID=arn:aws:kms:us-east-1:123456789012:alias/aws/s3\n",
        "CODEBUILD_LOG_PATH=",
        "CODEBUILD_PROJECT_ARN=arn:aws:codebuild:us-east-1:123456789012:project/web\n",
        "CODEBUILD_RESOLVED_SOURCE_VERSION=revision-of-Source\n",
        "CODEBUILD_SOURCE_REPO_URL=\n",
        "CODEBUILD_SOURCE_VERSION=arn:aws:s3:::artifacts/",
        "CODEBUILD_SRC_DIR=/",
        "CODEBUILD_START_TIME=1",
    ] {
        assert!(env.contains(variable), "{variable} is not in {env}");
    }
}

#[tokio::test]
async fn buildspec_and_action_may_choose_another_endpoint() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\nenv:\n  variables: {AWS_ENDPOINT_URL: 'http://own', AWS_REGION: eu-west-1}\nphases:\n  build:\n    commands:\n      \
        - echo \"$AWS_ENDPOINT_URL $AWS_REGION $AWS_ACCESS_KEY_ID\"\n";
    let pairs = [("EnvironmentVariables", r#"[{"name":"AWS_ACCESS_KEY_ID","value":"mine"}]"#)];
    assert!(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &[], &pairs).await.is_ok());
    assert!(texts(&place).contains(&"http://own eu-west-1 mine".to_owned()), "{:?}", texts(&place));
}

#[tokio::test]
async fn failed_build_stores_its_artifacts_and_fails_the_action() {
    let place = Workshop::new();
    let buildspec = ECHO.replace("out.txt\nartifacts", "out.txt && exit 3\nartifacts");
    let failed =
        message(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &["Site"], &[]).await);
    assert!(failed.starts_with("JobFailed: Build terminated with state: FAILED. Phase: BUILD,"), "{failed}");
    assert!(failed.ends_with("Reason: exit status 3"), "{failed}");
    assert_eq!(files(&place, "Site").await, ["out.txt: built"]);
}

#[tokio::test]
async fn missing_files_fail_the_upload() {
    let place = Workshop::new();
    let buildspec = ECHO.replace("files: out.txt", "files: other.txt");
    let failed =
        message(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &["Site"], &[]).await);
    assert!(
        failed.contains("Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR, Message: no matching artifact paths found"),
        "{failed}"
    );
}

#[tokio::test]
async fn pattern_without_a_file_is_shown() {
    let place = Workshop::new();
    let buildspec = ECHO.replace("files: out.txt", "files: [out.txt, other.txt]");
    assert!(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &["Site"], &[]).await.is_ok());
    assert_eq!(files(&place, "Site").await, ["out.txt: built"]);
    let expected = "artifact Site: no file matches other.txt";
    assert!(texts(&place).contains(&expected.to_owned()), "{:?}", texts(&place));
}

#[tokio::test]
async fn wrong_configuration_names_what_to_change() {
    let source = [("buildspec.yml", ECHO)];
    for (pairs, part) in [
        (("ProjectName", ""), "has no ProjectName: add"),
        (("BatchEnabled", "true"), "BatchEnabled is true, but codepipeline-local runs no batch builds"),
        (
            ("PrimarySource", "Other"),
            "PrimarySource is Other, which is not an input artifact of the action; its input artifacts are Source",
        ),
        (("EnvironmentVariables", "{\"MARKER\": 1}"), "write a JSON list of objects"),
        (
            ("EnvironmentVariables", r#"[{"name":"A","value":"MARKER","type":"OTHER"}]"#),
            "A has the type \"OTHER\": write PLAINTEXT",
        ),
        (("EnvironmentVariables", r#"[{"name":"A","value":"s","type":"SECRETS_MANAGER"}]"#), "add --secret 's=ENV'"),
    ] {
        let failed = message(run(&Workshop::new(), Project::default(), &source, &[], &[pairs]).await);
        assert!(failed.starts_with("ConfigurationError: ") && failed.contains(part), "{failed}");
        assert!(!failed.contains("MARKER"), "{failed}");
    }
}

#[tokio::test]
async fn output_without_artifacts_in_the_buildspec_is_named() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\nphases: {build: {commands: [echo a]}}\n";
    assert!(run(&place, Project::default().with_buildspec(buildspec), &[("a", "a")], &["Site"], &[]).await.is_ok());
    let expected = "the output artifact Site is not stored, because the buildspec has no artifacts";
    assert!(texts(&place).contains(&expected.to_owned()), "{:?}", texts(&place));
}

#[tokio::test]
async fn warning_is_shown_once_and_builds_are_counted() {
    let place = Workshop::new();
    let provider = code_build(
        Project::default()
            .with_buildspec("version: 0.2\nphases: {build: {commands: ['echo number $CODEBUILD_BUILD_NUMBER']}}"),
    );
    for _ in 0..2 {
        let mut task = task_with(&place, &[("Source", &[("a", "a")])], &[]).await;
        configure(&mut task, &[]);
        // The folders of an action are its own, so a second action needs other ones.
        let _ = std::fs::remove_dir_all(place.work.folder().join("src"));
        let _ = std::fs::remove_dir_all(place.work.folder().join("shell"));
        assert!(provider.run(task, &place.work).await.is_ok());
    }
    let lines = texts(&place);
    assert_eq!(lines.iter().filter(|line| line.starts_with("warning: commands of CodeBuild")).count(), 1);
    assert!(lines.contains(&"number 1".to_owned()) && lines.contains(&"number 2".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn project_stops_a_build_that_takes_too_long() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\nphases: {build: {commands: ['while :; do sleep 0.01; done']}}";
    let project = Project::default().with_buildspec(buildspec).with_timeout(std::time::Duration::from_millis(300));
    let failed = message(run(&place, project, &[("a", "a")], &[], &[]).await);
    assert!(failed.contains("state: TIMED_OUT. Message: the commands took longer than 0.3 s"), "{failed}");
}
