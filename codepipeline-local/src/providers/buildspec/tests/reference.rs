//! The examples of AWS's reference, one test each. Commands that need a network or other programs are echoed instead.

use super::*;
use crate::providers::buildspec::members::Mistake;

pub(super) fn mistake(text: &str) -> Mistake {
    match read(text, "buildspec.yml") {
        Ok(_) => panic!("the text was accepted"),
        Err(mistake) => mistake,
    }
}

/// "Buildspec example".
const EXAMPLE: &str = r#"
version: 0.2

env:
  variables:
    JAVA_HOME: "/usr/lib/jvm/java-8-openjdk-amd64"
  parameter-store:
    LOGIN_PASSWORD: /CodeBuild/dockerLoginPassword

phases:
  install:
    commands:
      - echo Entered the install phase...
      - echo apt-get update -y
      - echo apt-get install -y maven
    finally:
      - echo This always runs even if the update or install command fails
  pre_build:
    commands:
      - echo Entered the pre_build phase...
      - echo docker login -u User -p $LOGIN_PASSWORD
    finally:
      - echo This always runs even if the login command fails
  build:
    commands:
      - echo Entered the build phase...
      - echo Build started on `date`
      - mkdir target && touch target/messageUtil-1.0.jar target/artifact-1.0.jar target/artifact-2.0.jar
    finally:
      - echo This always runs even if the install command fails
  post_build:
    commands:
      - echo Entered the post_build phase...
      - echo Build completed on `date`

reports:
  arn:aws:codebuild:your-region:your-aws-account-id:report-group/report-group-name-1:
    files:
      - "**/*"
    base-directory: 'target/tests/reports'
    discard-paths: no
  reportGroupCucumberJson:
    files:
      - 'cucumber/target/cucumber-tests.xml'
    discard-paths: yes
    file-format: CUCUMBERJSON # default is JUNITXML
artifacts:
  files:
    - target/messageUtil-1.0.jar
  discard-paths: yes
  secondary-artifacts:
    artifact1:
      files:
        - target/artifact-1.0.jar
      discard-paths: yes
    artifact2:
      files:
        - target/artifact-2.0.jar
      discard-paths: yes
cache:
  paths:
    - '/root/.m2/**/*'
"#;

#[tokio::test]
async fn buildspec_example_runs() {
    let secret = |key: &str| (key == "/CodeBuild/dockerLoginPassword").then(|| "pass".to_owned());
    let ran = build_with(EXAMPLE, &[], secret).await;
    assert_eq!(ran.built.failure, None);
    assert_eq!(
        ran.phases(),
        ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"].map(|phase| format!("{phase} State: SUCCEEDED"))
    );
    let output = ran.output();
    assert_eq!(output[..2], ["Entered the install phase...", "apt-get update -y"]);
    assert!(output.contains(&"docker login -u User -p pass"), "{output:?}");
    assert!(output.last().unwrap().starts_with("Build completed on "), "{output:?}");
    assert_eq!(ran.files, [["messageUtil-1.0.jar"], ["artifact-1.0.jar"], ["artifact-2.0.jar"]]);
    assert!(
        ran.notes[0].starts_with("buildspec.yml:36: reports is ignored") && ran.notes[1].contains("cache"),
        "{:?}",
        ran.notes
    );
}

/// The example as a single string. As printed, it has wrong indents: `phases` below `env`, and ` reports` and ` cache` by one.
#[tokio::test]
async fn example_as_a_single_string_runs_once_its_indents_are_right() {
    let printed = "version: 0.2\n\nenv:\n  variables:\n    JAVA_HOME: \"/usr/lib/jvm/java-8-openjdk-amd64\"\n  \
        parameter-store:\n    LOGIN_PASSWORD: /CodeBuild/dockerLoginPassword\n  phases:\n\n  install:\n    commands:\n      \
        - echo Entered the install phase...\n\n reports:\n  reportGroupJunitXml:\n    files:\n      - \"**/*\"\n";
    let wrong = mistake(printed).to_string();
    assert!(wrong.starts_with("buildspec.yml:14: is not valid YAML"), "{wrong}");

    let text = "version: 0.2\n\nenv:\n  variables:\n    JAVA_HOME: \"/usr/lib/jvm/java-8-openjdk-amd64\"\n  \
        parameter-store:\n    LOGIN_PASSWORD: /CodeBuild/dockerLoginPassword\nphases:\n  install:\n    commands:\n      \
        - echo Entered the install phase...\n      - echo $JAVA_HOME\n\nreports:\n  reportGroupJunitXml:\n    files:\n      - \"**/*\"\n    \
        discard-paths: false\n\nartifacts:\n  files:\n    - target/messageUtil-1.0.jar\n  discard-paths: yes\n  secondary-artifacts:\n    \
        artifact1:\n      files:\n       - target/messageUtil-1.0.jar\n      discard-paths: yes\ncache:\n  paths:\n    - '/root/.m2/**/*'";
    let ran = build_with(text, &["target/messageUtil-1.0.jar"], |_| Some("pass".to_owned())).await;
    assert_eq!(ran.output(), ["Entered the install phase...", "/usr/lib/jvm/java-8-openjdk-amd64"]);
    assert_eq!(ran.files, [["messageUtil-1.0.jar"]; 2]);
}

/// "Here is an example of the commands in the `build` phase, for use with the consoles."
#[tokio::test]
async fn command_of_the_console_runs() {
    let ran = build(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - echo Build started on `date` && echo mvn install\n",
        &[],
    )
    .await;
    assert!(ran.output()[0].starts_with("Build started on ") && ran.output()[1] == "mvn install", "{:?}", ran.output());
}

/// "Buildspec syntax": the command in quotes.
#[tokio::test]
async fn quoted_command_runs() {
    let command = r#""export PACKAGE_NAME=$(cat package.json | grep name | head -1 | awk -F: '{ print $2 }' | sed 's/[\",]//g')""#;
    let text = format!(
        "version: 0.2\nenv:\n  exported-variables: [PACKAGE_NAME]\nphases:\n  build:\n    commands:\n      \
         - echo '\"name\":\"web\",' > package.json\n      - {command}\n"
    );
    let ran = build(&text, &[]).await;
    assert_eq!(ran.built.failure, None);
    assert_eq!(ran.built.exported["PACKAGE_NAME"], "web");
}

/// "Buildspec syntax": every member except for `run-as` and `batch`, which are refused.
#[tokio::test]
async fn whole_syntax_is_read() {
    let phase = "    on-failure: ABORT\n    commands:\n      - echo command\n      - echo command\n    finally:\n      - echo finally\n";
    let set = "    files:\n      - location\n      - location/*\n    discard-paths: no\n    base-directory: .\n";
    let text = format!(
        "version: 0.2\nenv:\n  shell: bash\n  variables:\n    key: \"value\"\n  parameter-store:\n    key2: \"value\"\n  \
         exported-variables:\n    - key\n    - variable\n  secrets-manager:\n    key3: secret-id:json-key:version-stage:version-id\n  \
         git-credential-helper: no\nproxy:\n  upload-artifacts: no\n  logs: no\nphases:\n  install:\n    runtime-versions:\n      \
         runtime: version\n{phase}  pre_build:\n{phase}  build:\n{phase}  post_build:\n{phase}reports:\n  report-group-name-or-arn:\n{set}    \
         file-format: report-format\nartifacts:\n  files:\n    - location\n  name: artifact-name\n  exclude-paths: excluded\n  \
         enable-symlinks: no\n  s3-prefix: prefix\n  secondary-artifacts:\n    artifactIdentifier:\n      files:\n        - location\n      \
         name: secondary-artifact-name\ncache:\n  paths:\n    - path\n"
    );
    let ran = build_with(&text, &["location"], |_| Some("secret".to_owned())).await;
    assert_eq!(ran.output().iter().filter(|line| **line == "finally").count(), 4);
    assert_eq!(ran.files, [["location"]; 2]);
    assert_eq!(ran.built.exported.keys().collect::<Vec<_>>(), ["key"]);
    let ignored: Vec<_> = ran.notes.iter().map(|note| note.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        ignored,
        [
            "reports",
            "cache",
            "proxy",
            "env/git-credential-helper",
            "phases/install/runtime-versions",
            "artifacts/s3-prefix"
        ]
    );
    for (member, path) in [("run-as: user", "run-as"), ("batch:\n  fast-fail: false", "batch")] {
        let refused = mistake(&format!("{text}{member}\n")).to_string();
        assert!(refused.contains(&format!(": {path} is not supported")), "{refused}");
    }
    let in_a_phase = mistake(&text.replacen("    on-failure: ABORT", "    run-as: user", 1)).to_string();
    assert!(in_a_phase.contains("phases/install/run-as is not supported"), "{in_a_phase}");
}

/// `env/secrets-manager`.
#[tokio::test]
async fn secret_of_secrets_manager_is_a_variable() {
    let text = "version: 0.2\nenv:\n  secrets-manager:\n    LOCAL_SECRET_VAR: \"TestSecret:MY_SECRET_VAR\"\nphases:\n  build:\n    \
        commands:\n      - echo $LOCAL_SECRET_VAR\n";
    let secret = |key: &str| (key == "TestSecret").then(|| r#"{"MY_SECRET_VAR": "value"}"#.to_owned());
    assert_eq!(build_with(text, &[], secret).await.output(), ["value"]);
}

/// `phases/install/runtime-versions`.
#[tokio::test]
async fn runtime_versions_are_named_as_ignored() {
    let text = "version: 0.2\nphases:\n  install:\n    runtime-versions:\n      java: corretto8\n      python: 3.x\n      \
        ruby: \"$MY_RUBY_VAR\"\n";
    let ran = build(text, &[]).await;
    assert_eq!(
        ran.notes,
        ["buildspec.yml:4: phases/install/runtime-versions is ignored: commands find the programs of this machine"]
    );
    assert_eq!(ran.phases(), ["INSTALL State: SUCCEEDED"]);
}

/// `phases/*/finally`: "if the `commands` block contains three commands and the first fails".
#[tokio::test]
async fn finally_runs_after_the_first_of_three_commands_fails() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - false\n      - echo second\n      - echo third\n    finally:\n      \
        - echo finally\n";
    let ran = build(text, &[]).await;
    assert_eq!(ran.output(), ["finally"]);
    assert_eq!(ran.phases(), ["BUILD State: FAILED"]);
}

/// "Batch build buildspec reference", the member of each of its examples.
#[test]
fn batch_builds_are_refused() {
    for member in [
        "build-graph:\n    - identifier: build1",
        "build-list:\n    - identifier: build1",
        "build-matrix:\n    static: {}",
    ] {
        let text = format!(
            "version: 0.2\nbatch:\n  fast-fail: false\n  {member}\nphases:\n  build:\n    commands: [echo a]\n"
        );
        assert_eq!(
            mistake(&text).to_string(),
            "buildspec.yml:2: batch is not supported: codepipeline-local runs one build for an action; remove it"
        );
    }
}
