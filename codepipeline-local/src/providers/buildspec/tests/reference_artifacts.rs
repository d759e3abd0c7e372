//! The examples of `artifacts` in AWS's reference, one test each.

use super::reference::mistake;
use super::*;

/// The build of the examples of `artifacts/name`.
async fn named(name: &str) -> Ran {
    let text = format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - echo rspec HelloWorld_spec.rb\n      - touch out\nartifacts:\n  files:\n    \
         - '**/*'\n  name: {name}\n"
    );
    build(&text, &[]).await
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

#[tokio::test]
async fn artifact_name_may_end_with_a_date() {
    let ran = named("myname-$(date +%Y-%m-%d)").await;
    assert!(ran.name().strip_prefix("myname-").is_some_and(is_date), "{}", ran.name());
    assert_eq!(ran.files, [["out"]]);
}

#[tokio::test]
async fn artifact_name_may_have_a_variable() {
    assert_eq!(named("myname-$AWS_REGION").await.name(), "myname-us-east-1");
}

#[tokio::test]
async fn artifact_name_may_have_a_variable_and_a_date() {
    let ran = named("$AWS_REGION-$(date +%Y-%m-%d)").await;
    assert!(ran.name().strip_prefix("us-east-1-").is_some_and(is_date), "{}", ran.name());
}

#[tokio::test]
async fn artifact_name_may_be_a_path() {
    assert_eq!(named("builds/$CODEBUILD_BUILD_NUMBER/my-artifacts").await.name(), "builds/7/my-artifacts");
}

/// A build without commands of interest, for the examples of `artifacts`.
async fn artifact(members: &str, files: &[&str]) -> Vec<Vec<String>> {
    let text =
        format!("version: 0.2\nphases:\n  build:\n    commands:\n      - echo Building...\nartifacts:\n{members}");
    build(&text, files).await.files
}

/// `artifacts/discard-paths`.
#[tokio::test]
async fn discarded_path_leaves_the_name_of_the_file() {
    let files = ["com/mycompany/app/HelloWorld.java"];
    assert_eq!(artifact("  files: ['**/*']\n  discard-paths: yes\n", &files).await, [["HelloWorld.java"]]);
    assert_eq!(artifact("  files: ['**/*']\n", &files).await, [files]);
}

const FOLDERS: [&str; 3] =
    ["my-build-1/my-file-1.txt", "my-build-2/my-file-2.txt", "my-build-2/my-subdirectory/my-file-3.txt"];

/// `artifacts/base-directory`, the first example.
#[tokio::test]
async fn base_directory_is_left_out_of_the_names() {
    let members = "  files:\n    - '*/my-file-3.txt'\n  base-directory: my-build-2\n";
    assert_eq!(artifact(members, &FOLDERS).await, [["my-subdirectory/my-file-3.txt"]]);
}

/// `artifacts/base-directory`, the second example.
#[tokio::test]
async fn base_directory_may_be_a_pattern() {
    let members = "  files:\n    - '**/*'\n  base-directory: 'my-build*'\n  discard-paths: yes\n";
    assert_eq!(artifact(members, &FOLDERS).await, [["my-file-1.txt", "my-file-2.txt", "my-file-3.txt"]]);
}

/// `artifacts/secondary-artifacts`. As printed, `build` has the wrong indent.
#[tokio::test]
async fn secondary_artifacts_have_files_of_their_own() {
    let text = "version: 0.2\n\nphases:\nbuild:\n  commands:\n    - echo Building...\nartifacts:\n  files:\n    - '**/*'\n  \
        secondary-artifacts:\n    artifact1:\n      files:\n        - directory/file1\n      name: secondary-artifact-name-1\n    \
        artifact2:\n      files:\n        - directory/file2\n      name: secondary-artifact-name-2\n";
    assert_eq!(
        mistake(text).to_string(),
        "buildspec.yml:4: build belongs into phases, which is empty: indent build and its members"
    );
    let indented = text.replace("build:\n  commands:\n    - echo", "  build:\n    commands:\n      - echo");
    let ran = build(&indented, &["directory/file1", "directory/file2"]).await;
    assert_eq!(
        ran.files,
        [vec!["directory/file1", "directory/file2"], vec!["directory/file1"], vec!["directory/file2"]]
    );
    assert_eq!(ran.built.file_sets[2].name.as_deref(), Some("secondary-artifact-name-2"));
}
