//! How runs end: exit codes, artifacts and secrets.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use super::{action, commands, folder, program, run, terminate, text};

#[test]
fn failed_action_is_the_exit_code() {
    let folder = folder(&[commands("Break", &["echo before", "exit 3"])]);
    let output = run(folder.path(), &["--source", "App=app"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("[Break] before") && shown.contains("failed Work/Break"), "{shown}");
    assert!(shown.contains("JobFailed: Error while executing command: exit 3"), "{shown}");
    assert_eq!(error, "codepipeline-local: web failed: Work/Break (JobFailed)\n");
    let left = std::fs::read_dir(folder.path().join("tmp")).unwrap().count();
    assert_eq!(left, 0, "the temporary folders are gone");
}

#[test]
fn artifacts_are_unpacked_and_replaced() {
    let mut make = commands("Make", &["mkdir -p site", "cp hello.txt site/index.html"]);
    make["outputArtifacts"] = json!([{"name": "Site", "files": ["site/**"]}]);
    let folder = folder(&[make]);
    for text in ["one", "two"] {
        std::fs::write(folder.path().join("app/hello.txt"), text).unwrap();
        let output = run(folder.path(), &["--source", "App=app", "--output", "out"]);
        assert!(output.status.success(), "{}", super::text(&output.stderr));
        let read = |file: &str| std::fs::read_to_string(folder.path().join("out").join(file)).unwrap();
        assert_eq!([read("App/hello.txt"), read("Site/site/index.html")], [text, text]);
    }
}

#[test]
fn only_runs_one_action_with_the_given_source() {
    let folder = folder(&[commands("One", &["cat hello.txt"]), commands("Two", &["exit 1"])]);
    let output = run(folder.path(), &["--source", "App=app", "--only", "One"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    assert!(shown.contains("note --only skips Work/Two; their output artifacts are empty"), "{shown}");
    assert!(shown.contains("[One] hello\n"), "{shown}");
}

#[test]
fn empty_input_of_a_skipped_action_is_noted() {
    let mut make = commands("Make", &["mkdir site", "touch site/a"]);
    make["outputArtifacts"] = json!([{"name": "Site", "files": ["site/**"]}]);
    let members = json!({
        "configuration": {"BucketName": "site", "Extract": "true"}, "inputArtifacts": [{"name": "Site"}], "runOrder": 2,
    });
    let folder = folder(&[make, action("S3", "Deploy/AWS/S3/1", &members)]);
    let shown = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let note = "note Work/S3: its input artifact Site is empty, because Work/Make is skipped\n";
    let only = shown(&["--only", "S3"]);
    assert!(only.contains(note) && only.contains("[S3] deployed 0 objects"), "{only}");
    assert!(!only.contains("Work/Make: its input"), "{only}");
    let source = "note Work/Make: its input artifact App is empty, because Source/App is skipped";
    let from_nothing = shown(&["--only", "Make"]);
    assert!(from_nothing.contains(&format!("{source}; fill it with --source App=DIR\n")), "{from_nothing}");
    assert!(shown(&["--skip", "App", "--skip", "S3"]).contains(&format!("{source}\n")));
    assert!(!shown(&["--source", "App=app", "--skip", "S3"]).contains("input artifact"));
}

#[test]
fn secret_is_masked() {
    let mut tell = commands("Tell", &["echo \"it is $WORD\""]);
    tell["environmentVariables"] = json!([{"name": "WORD", "type": "SECRETS_MANAGER", "value": "web/word"}]);
    let folder = folder(&[tell]);
    let mut command = program(folder.path(), &["--source", "App=app", "--secret", "web/word=MY_WORD"]);
    let output = command.env("MY_WORD", "hunter2").output().unwrap();
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && shown.contains("[Tell] it is ***"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn run_ends_if_the_last_worker_does() {
    let shell = action("Own", "Test/Custom/Shell/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    let folder = folder(&[shell]);
    let output = run(folder.path(), &["--source", "App=app", "--worker", "sh -c 'echo broken; exit 7'"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success() && shown.contains("[sh] broken"), "{shown}");
    assert!(error.contains("the worker sh ended (exit status: 7) before the pipeline did"), "{error}");
}

#[test]
fn function_has_the_variables_of_the_template() {
    let folder = tempfile::tempdir().unwrap();
    let template = "
Globals: {Function: {Environment: {Variables: {LEVEL: 1}}, MemorySize: 256}}
Resources:
  Notify:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: web-notify
      Timeout: 60
      Environment:
        Variables:
          OWN: template
          LEVEL: 2
          TOKEN: '{{resolve:secretsmanager:web/token}}'
          AWS_REGION: mars-1
          AWS_ENDPOINT_URL_S3: http://192.0.2.1
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: web
      RoleArn: arn:aws:iam::123456789012:role/any
      ArtifactStore: {Type: S3, Location: artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: App
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeCommit, Version: '1'}
              Configuration: {RepositoryName: app, BranchName: main}
              OutputArtifacts: [{Name: App}]
        - Name: Work
          Actions:
            - Name: Notify
              ActionTypeId: {Category: Invoke, Owner: AWS, Provider: Lambda, Version: '1'}
              Configuration: {FunctionName: !Ref Notify}
";
    std::fs::write(folder.path().join("template.yaml"), template).unwrap();
    std::fs::create_dir(folder.path().join("app")).unwrap();
    std::fs::write(folder.path().join("app/a"), "a").unwrap();
    let function = "Notify=sh -c 'echo $OWN $LEVEL ${TOKEN-none} $AWS_REGION ${AWS_ENDPOINT_URL_S3-none} $AWS_LAMBDA_FUNCTION_NAME \
        $AWS_LAMBDA_FUNCTION_MEMORY_SIZE; exec sleep 600'";
    let arguments = ["--source", "App=app", "--function", function, "--env", "OWN=flag"];
    let mut child = program(folder.path(), &arguments).spawn().unwrap();
    let mut shown = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !shown.contains("[Notify]") {
        shown += &(lines.next().unwrap().unwrap() + "\n");
    }
    terminate(&child);
    shown.extend(lines.map(Result::unwrap));
    child.wait().unwrap();
    assert!(shown.contains("[Notify] flag 2 none us-east-1 none web-notify 256"), "{shown}");
    let unknown = "Notify runs without TOKEN, whose values only AWS knows; give them with --env TOKEN=VALUE";
    assert!(shown.contains(unknown) && shown.contains("the template's AWS_ENDPOINT_URL_S3, AWS_REGION"), "{shown}");
}

#[test]
fn member_of_a_secret_is_masked_in_later_actions() {
    let mut first = commands("First", &["export COPY=\"$P\"", "echo \"first has $P\""]);
    first["environmentVariables"] = json!([{"name": "P", "type": "SECRETS_MANAGER", "value": "db:password"}]);
    (first["namespace"], first["outputVariables"]) = (json!("first"), json!(["COPY"]));
    let mut second = commands("Second", &["echo \"second has $GOT\"", "sh -c 'exit 3' #{first.COPY}"]);
    second["environmentVariables"] = json!([{"name": "GOT", "type": "PLAINTEXT", "value": "#{first.COPY}"}]);
    second["runOrder"] = json!(2);
    let folder = folder(&[first, second]);
    let mut command = program(folder.path(), &["--source", "App=app", "--secret", "db=MY_DB"]);
    let output = command.env("MY_DB", r#"{"password": "hunter2"}"#).output().unwrap();
    let shown = text(&output.stdout) + &text(&output.stderr);
    for line in ["[First] first has ***", "[Second] second has ***", "failed Work/Second"] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn variable_of_a_git_source_is_given() {
    let mut show = commands("Show", &["echo \"commit $ID\""]);
    show["environmentVariables"] = json!([{"name": "ID", "value": "#{Source.CommitId}"}]);
    let folder = folder(&[show]);
    let file = folder.path().join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    declared["pipeline"]["stages"][0]["actions"][0]["namespace"] = json!("Source");
    std::fs::write(file, declared.to_string()).unwrap();
    let with = |variable: &str| run(folder.path(), &["--source", "App=app", "--variable", variable]);
    let output = with("Source.CommitId=0a1b2c3");
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.contains("[Show] commit 0a1b2c3"), "{shown}");
}
