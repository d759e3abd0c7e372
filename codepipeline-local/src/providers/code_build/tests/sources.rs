//! The inputs of builds, and their buildspecs.

use super::*;

/// AWS's "CodePipeline integration with CodeBuild and multiple input sources and output artifacts sample".
#[tokio::test]
async fn sample_with_two_inputs_and_two_outputs_runs() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\n\nphases:\n  build:\n    commands:\n      - touch source1_file\n      - cd $CODEBUILD_SRC_DIR_source2\n      \
        - touch source2_file\n\nartifacts:\n  files:\n    - '**/*'\n  secondary-artifacts:\n    artifact1:\n      \
        base-directory: $CODEBUILD_SRC_DIR\n      files:\n        - source1_file\n    artifact2:\n      \
        base-directory: $CODEBUILD_SRC_DIR_source2\n      files:\n        - source2_file\n";
    let inputs: [(&str, &[(&str, &str)]); 2] =
        [("source1", &[("buildspec.yml", buildspec)]), ("source2", &[("a", "a")])];
    let mut task = task_with(&place, &inputs, &["artifact1", "artifact2"]).await;
    configure(&mut task, &[("PrimarySource", "source1")]);
    assert!(code_build(Project::default()).run(task, &place.work).await.is_ok());
    assert_eq!(files(&place, "artifact1").await, ["source1_file: "]);
    assert_eq!(files(&place, "artifact2").await, ["source2_file: "]);
}

/// AWS's "Multiple input sources and output artifacts sample".
#[tokio::test]
async fn sample_with_secondary_sources_runs() {
    let place = Workshop::new();
    let buildspec = "version: 0.2\n\nphases:\n  install:\n    runtime-versions:\n      java: openjdk11\n  build:\n    commands:\n      \
        - cd $CODEBUILD_SRC_DIR_source1\n      - touch file1\n      - cd $CODEBUILD_SRC_DIR_source2\n      - touch file2\n\nartifacts:\n  \
        files:\n    - '**.*'\n  secondary-artifacts:\n    artifact1:\n      base-directory: $CODEBUILD_SRC_DIR_source1\n      files:\n        \
        - file1\n    artifact2:\n      base-directory: $CODEBUILD_SRC_DIR_source2\n      files:\n        - file2\n";
    let inputs: [(&str, &[(&str, &str)]); 3] =
        [("main", &[("README.md", "a")]), ("source1", &[("a", "a")]), ("source2", &[("a", "a")])];
    let mut task = task_with(&place, &inputs, &["artifact1", "artifact2"]).await;
    configure(&mut task, &[("PrimarySource", "main")]);
    assert!(code_build(Project::default().with_buildspec(buildspec)).run(task, &place.work).await.is_ok());
    assert_eq!(files(&place, "artifact1").await, ["file1: "]);
    assert!(texts(&place).iter().any(|line| line.contains("runtime-versions is ignored")));
}

#[tokio::test]
async fn buildspec_may_be_anywhere_in_the_source() {
    let project = Project::default().with_buildspec("config/build.yml");
    assert!(run(&Workshop::new(), project.clone(), &[("config/build.yml", ECHO)], &[], &[]).await.is_ok());
    for (project, part) in [
        (project, "config/build.yml in the primary source does not exist: set the project's buildspec"),
        (Project::default(), "YAML_FILE_ERROR, Message: buildspec.yml in the primary source does not exist: add it"),
        (Project::default().with_buildspec("arn:aws:s3:::b/c.yml"), "put it into the source"),
    ] {
        let failed = message(run(&Workshop::new(), project, &[("a", "a")], &[], &[]).await);
        assert!(failed.contains(part), "{failed}");
    }
}

#[tokio::test]
async fn several_artifacts_must_be_named() {
    let place = Workshop::new();
    let mut task = task_with(&place, &[("A", &[("buildspec.yml", ECHO)]), ("B", &[("b", "b")])], &[]).await;
    configure(&mut task, &[]);
    let failed = message(code_build(Project::default()).run(task, &place.work).await);
    assert!(failed.contains("add PrimarySource with one of A, B"), "{failed}");
    let failed =
        message(run(&Workshop::new(), Project::default(), &[("buildspec.yml", ECHO)], &["One", "Two"], &[]).await);
    assert!(failed.contains("add artifacts/secondary-artifacts/One to it"), "{failed}");
}

#[tokio::test]
async fn full_clone_has_its_history() {
    let place = Workshop::new();
    let repository = tempfile::TempDir::new().unwrap();
    let commands = "git init --quiet --initial-branch=main && echo a > a.txt && git add --all && \
                    git -c user.name=a -c user.email=a@example.com commit --quiet --message first";
    let made = std::process::Command::new("sh").args(["-c", commands]).current_dir(repository.path()).status().unwrap();
    assert!(made.success());
    let mut fetch = task_with(&place, &[], &["Source"]).await;
    fetch.action_type = crate::engine::ActionTypeId::first("Source", "AWS", "CodeCommit");
    fetch.action = "Fetch".to_owned();
    let configuration =
        [("RepositoryName", "a"), ("BranchName", "main"), ("OutputArtifactFormat", "CODEBUILD_CLONE_REF")];
    fetch.configuration = configuration.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let inputs = fetch.outputs.clone();
    let source = crate::providers::Source::new([("Fetch".to_owned(), repository.path().to_owned())].into());
    assert!(source.run(fetch, &place.work).await.is_ok());

    let buildspec = "version: 0.2\nphases: {build: {commands: ['git log -1 --format=subject-%s; cat a.txt']}}";
    let mut task = Task { inputs, ..task_with(&place, &[], &[]).await };
    configure(&mut task, &[]);
    assert!(code_build(Project::default().with_buildspec(buildspec)).run(task, &place.work).await.is_ok());
    let lines = texts(&place);
    assert!(lines.contains(&"subject-first".to_owned()) && lines.contains(&"a".to_owned()), "{lines:?}");
}
