//! Values that no line of a run shows, and names that must not control the terminal.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Output;

use serde_json::json;

use super::{action, commands, folder, program, run, terminate, text};

/// A template whose pipeline has the parameter's value in its name and in that of an action.
const TEMPLATE: &str = "
Parameters: {Pw: {Type: String, NoEcho: true}}
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Sub 'web-${Pw}'
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
            - Name: !Sub 'N-${Pw}'
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: '1'}
              Configuration: {Value: VALUE}
";

fn of_template(folder: &Path, value: &str, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("template.yaml"), TEMPLATE.replace("VALUE", value)).unwrap();
    run(folder, &[&["template.yaml", "--parameter", "Pw=hunter2"], arguments].concat())
}

fn shown(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn errors_before_a_run_hide_parameters() {
    let folder = tempfile::tempdir().unwrap();
    for (value, arguments, named) in [
        ("a", &["--skip", "zz"][..], "it has App, N-***"),
        ("a", &["--only", "zz"], "it has Source, Work, App, N-***"),
        ("a", &["--pipeline", "zz"], "it has web-***"),
        ("a", &["--dry-run"], "Work/N-***: ECS of AWS does not run"),
        ("a", &["--list"], "N-***"),
        ("!FindInMap [M, !Ref Pw, a]", &["--list"], "template.yaml"),
    ] {
        let shown = shown(&of_template(folder.path(), value, arguments));
        assert!(shown.contains(named) && !shown.contains("hunter2"), "{value} {arguments:?}: {shown}");
    }
}

#[test]
fn names_in_errors_do_not_control_the_terminal() {
    let named = "A\u{1b}]0;title\u{7}";
    let folder = folder(&[action(named, "Deploy/AWS/ECS/1", &json!({}))]);
    for arguments in [&["--skip", "zz"][..], &["--only", "zz"], &["--dry-run"], &["--list"]] {
        let shown = shown(&run(folder.path(), arguments));
        assert!(shown.contains("A\u{fffd}]0;title\u{fffd}"), "{arguments:?}: {shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{arguments:?}: {shown}");
    }
    std::fs::write(folder.path().join("a\u{1b}c.yaml"), "a: [").unwrap();
    let unread = shown(&run(folder.path(), &["a\u{1b}c.yaml"]));
    assert!(unread.contains("a\u{fffd}c.yaml:") && !unread.contains('\u{1b}'), "{unread}");
}

#[test]
fn given_secret_of_a_dynamic_reference_is_masked() {
    let folder = tempfile::tempdir().unwrap();
    let own = "'{{resolve:secretsmanager:web/token}}'";
    std::fs::create_dir(folder.path().join("app")).unwrap();
    std::fs::write(folder.path().join("app/a"), "a").unwrap();
    let stand_in = "Deploy/AWS/ECS/1=env; exit 3";
    let given = "resolve:secretsmanager:web/token=swordfish";
    let arguments = ["--parameter", given, "--source", "App=app", "--provider", stand_in];
    let shown = shown(&of_template(folder.path(), own, &arguments));
    assert!(shown.contains("=***") && !shown.contains("swordfish"), "{shown}");
}

#[test]
fn keys_of_aws_are_masked_in_output_only() {
    let tell = commands("Tell", &["echo \"key $AWS_SECRET_ACCESS_KEY token $AWS_SESSION_TOKEN\""]);
    let folder = folder(&[tell]);
    let key = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG";
    let with = |flags: &[&str]| {
        let output = program(folder.path(), &[&["--source", "App=app"], flags].concat()).output().unwrap();
        shown(&output)
    };
    let own = with(&[]);
    assert!(own.contains("[Tell] key *** token"), "{own}");
    let given = with(&["--env", key, "--env", "AWS_SESSION_TOKEN=FwoGZXIvYXdzEBYaDKexample"]);
    assert!(given.contains("[Tell] key *** token ***"), "{given}");
    let short = with(&["--env", "AWS_SECRET_ACCESS_KEY=test"]);
    assert!(short.contains("[Tell] key test token"), "{short}");
}

#[test]
fn secret_configuration_values_are_masked_in_output() {
    let folder = tempfile::tempdir().unwrap();
    let own = "
  Own:
    Type: AWS::CodePipeline::CustomActionType
    Properties:
      Category: Test
      Provider: Own
      Version: '1'
      ConfigurationProperties: [{Name: ApiKey, Key: false, Required: true, Secret: true}]
      InputArtifactDetails: {MinimumCount: 0, MaximumCount: 1}
      OutputArtifactDetails: {MinimumCount: 0, MaximumCount: 0}
";
    let check = "
            - Name: Check
              ActionTypeId: {Category: Test, Owner: Custom, Provider: Own, Version: '1'}
              Configuration: {ApiKey: marker-key}
";
    let template = TEMPLATE.replace("{Value: VALUE}", "{AccessToken: marker-token}") + check + own;
    std::fs::write(folder.path().join("template.yaml"), template).unwrap();
    std::fs::create_dir(folder.path().join("app")).unwrap();
    std::fs::write(folder.path().join("app/a"), "a").unwrap();
    let stand_in = "Deploy/AWS/ECS/1=echo \"token $CONFIG_ACCESSTOKEN\"";
    let worker = "sh -c 'echo key marker-key; exec sleep 600'";
    let arguments = ["--parameter", "Pw=hunter2", "--source", "App=app", "--provider", stand_in, "--worker", worker];
    let mut child = program(folder.path(), &[&["template.yaml"], &arguments[..]].concat()).spawn().unwrap();
    let mut shown = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    while !(shown.contains("[sh] key") && shown.contains("token ")) {
        shown += &(lines.next().unwrap() + "\n");
    }
    terminate(&child);
    child.wait().unwrap();
    assert!(shown.contains("[sh] key ***\n") && shown.contains("token ***\n") && !shown.contains("marker-"), "{shown}");
}

#[test]
fn mask_of_a_skipped_action_is_accepted() {
    let skipped = json!({"configuration": {"ClusterName": "web", "ApiToken": "****"}});
    let folder = folder(&[action("Ship", "Deploy/AWS/ECS/1", &skipped)]);
    let output = run(folder.path(), &["--source", "App=app", "--skip", "Ship"]);
    assert!(output.status.success(), "{}", shown(&output));
}
