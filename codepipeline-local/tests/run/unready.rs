//! Runs that must fail: `--dry-run` refuses those whose values it knows.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::builds::{build, dry_run};
use super::{action, commands, folder, run, text};

const BUILDSPEC: &str = "version: 0.2\nphases: {build: {commands: [ls]}}\n";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join("app").join(name), text).unwrap();
}

fn git(folder: &Path, arguments: &str) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments.split(' '));
    let output = command.current_dir(folder.join("app")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Changes the source action, and gives it the namespace `V`.
fn change_source(folder: &Path, change: impl FnOnce(&mut Value)) {
    let file = folder.join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let source = &mut declared["pipeline"]["stages"][0]["actions"][0];
    source["namespace"] = json!("V");
    change(source);
    std::fs::write(file, declared.to_string()).unwrap();
}

#[test]
fn build_with_a_variable_of_the_pipeline_is_checked() {
    let check = |items: &str, buildspec: &str| {
        let variables = format!(r##"[{{"name": "ID", "value": "#{{V.CommitId}}"}}, {items}]"##);
        let folder = folder(&[build("Pages", "web", &[("EnvironmentVariables", &variables)], "App", "Site")]);
        change_source(folder.path(), |_| {});
        write(folder.path(), "buildspec.yml", buildspec);
        let (output, error) = dry_run(folder.path(), &[]);
        assert!(!output.contains("ready"), "{items}: {output}");
        error
    };
    let wrong = "version: 0.2\nphases: {build: {on-failure: BOGUS, commands: [ls]}}\n";
    let both = check(r#"{"name": "N", "value": 5}"#, wrong);
    assert!(both.contains("Work/Pages: EnvironmentVariables is wrong at its line 1 and column"), "{both}");
    assert!(both.contains("Work/Pages: buildspec.yml:2: phases/build/on-failure must be ABORT or CONTINUE"), "{both}");
    for (items, named) in [
        (r#"{"name": "N", "value": "a"},"#, "EnvironmentVariables is wrong"),
        (r#"{"name": "N", "value": "a", "type": "PLAIN"}"#, "N has the type \"PLAIN\": write PLAINTEXT"),
        (r#"{"name": "N", "value": "tok", "type": "SECRETS_MANAGER"}"#, "needs the secret tok: add --secret 'tok=ENV'"),
    ] {
        let error = check(items, BUILDSPEC);
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn variable_of_an_action_replaces_a_secret_of_the_buildspec() {
    let variables = r##"[{"name": "P", "value": "#{V.CommitId}", "type": "PARAMETER_STORE"}]"##;
    let folder = folder(&[build("Pages", "web", &[("EnvironmentVariables", variables)], "App", "Site")]);
    change_source(folder.path(), |_| {});
    write(folder.path(), "buildspec.yml", &format!("{BUILDSPEC}env: {{parameter-store: {{P: /missing}}}}\n"));
    let (output, error) = dry_run(folder.path(), &[]);
    assert!(output.contains("ready") && error.is_empty(), "{error}");
}

#[test]
fn quote_in_a_commit_message_is_named_by_the_run() {
    let variables = r##"[{"name": "M", "value": "#{V.CommitMessage}"}]"##;
    let folder = folder(&[build("Pages", "web", &[("EnvironmentVariables", variables)], "App", "Site")]);
    change_source(folder.path(), |_| {});
    write(folder.path(), "buildspec.yml", BUILDSPEC);
    let output = run(folder.path(), &["--source", "App=app", "--variable", "V.CommitMessage=say \"hi\""]);
    let shown = text(&output.stdout);
    let named = "EnvironmentVariables is not JSON, because the value of #{V.CommitMessage} has a quote, which CodePipeline does not escape";
    assert!(!output.status.success() && shown.contains(named), "{shown}");
}

#[test]
fn wrong_deployment_is_found() {
    let deploy = |configuration: Value| {
        let members = json!({"configuration": configuration, "inputArtifacts": [{"name": "App"}]});
        let folder = folder(&[action("Ship", "Deploy/AWS/S3/1", &members)]);
        change_source(folder.path(), |_| {});
        dry_run(folder.path(), &[])
    };
    for (configuration, named) in [
        (json!({"BucketName": "site", "Extract": "maybe"}), "Work/Ship: Extract must be true or false"),
        (json!({"BucketName": "site", "Extract": "false"}), "Work/Ship: With Extract=false, add ObjectKey"),
    ] {
        let (output, error) = deploy(configuration);
        assert!(error.contains(named) && !output.contains("ready"), "{output}{error}");
    }
    let (output, error) = deploy(json!({"BucketName": "site", "Extract": "#{V.BranchName}"}));
    assert!(output.contains("ready"), "{error}");
}

#[test]
fn buildspec_that_git_leaves_out_is_named() {
    let folder = folder(&[build("Pages", "web", &[], "App", "Site")]);
    let path = folder.path();
    git(path, "init --quiet");
    write(path, "buildspec.yml", BUILDSPEC);
    write(path, ".gitignore", "buildspec.yml\n");
    let (output, error) = dry_run(path, &[]);
    let ignored = "Work/Pages: buildspec.yml in the primary source is not in its artifact, because git ignores it";
    assert!(error.contains(ignored) && !output.contains("ready"), "{output}{error}");

    git(path, "add .gitignore hello.txt");
    git(path, "commit --quiet --message first");
    change_source(path, |source| source["configuration"]["OutputArtifactFormat"] = json!("CODEBUILD_CLONE_REF"));
    let (output, error) = dry_run(path, &[]);
    let uncommitted = "Work/Pages: buildspec.yml in the primary source is not in its current git commit";
    assert!(error.contains(uncommitted) && !output.contains("ready"), "{output}{error}");

    git(path, "add --force buildspec.yml");
    git(path, "commit --quiet --message second");
    write(path, "buildspec.yml", "a change that is not committed");
    let (output, error) = dry_run(path, &[]);
    assert!(output.contains("ready"), "{error}");
}

#[test]
fn variable_that_a_build_does_not_export_is_found() {
    let check = |key: &str, buildspec: &str| {
        let mut made = build("Make", "web", &[], "App", "Site");
        made["namespace"] = json!("B");
        let mut listed = commands("List", &["export ID=1"]);
        (listed["namespace"], listed["outputVariables"]) = (json!("L"), json!(["ID"]));
        let mut show = commands("Show", &[&format!("echo #{{{key}}}")]);
        show["runOrder"] = json!(2);
        let folder = folder(&[made, listed, show]);
        write(folder.path(), "buildspec.yml", buildspec);
        dry_run(folder.path(), &[])
    };
    let exports = format!("{BUILDSPEC}env: {{exported-variables: [VERSION]}}\n");
    for (key, buildspec, why) in [
        (
            "B.VERSIO",
            exports.as_str(),
            "Work/Make has no variable VERSIO, because its buildspec exports only VERSION: correct",
        ),
        ("B.VERSION", BUILDSPEC, "its buildspec exports no variable: add VERSION to env/exported-variables"),
        ("L.IDS", BUILDSPEC, "it exports only ID: correct the name, or add IDS to its outputVariables"),
    ] {
        let (output, error) = check(key, buildspec);
        assert!(error.contains(&format!("Work/Show needs #{{{key}}}, but ")) && error.contains(why), "{error}");
        assert!(!output.contains("ready"), "{output}");
    }
    for key in ["B.VERSION", "L.ID"] {
        let (output, error) = check(key, &exports);
        assert!(output.contains("ready"), "{error}");
    }
}

#[test]
fn artifact_that_a_build_never_stores_is_found() {
    let mut reads = commands("Use", &["ls"]);
    (reads["inputArtifacts"], reads["runOrder"]) = (json!([{"name": "Site"}]), json!(2));
    let folder = folder(&[build("Make", "web", &[], "App", "Site"), reads]);
    write(folder.path(), "buildspec.yml", BUILDSPEC);
    let (output, error) = dry_run(folder.path(), &[]);
    let named =
        "Work/Make: its buildspec has no artifacts, so its output artifact Site is not stored, which Work/Use reads";
    assert!(error.contains(named) && !output.contains("ready"), "{output}{error}");
    let (output, error) = dry_run(folder.path(), &["--skip", "Use"]);
    assert!(output.contains("ready"), "{error}");
}
