//! Builds that are checked before anything runs.

use std::path::Path;

use serde_json::{Value, json};

use super::{action, commands, folder, program, run, text};

pub(super) fn build(name: &str, project: &str, configuration: &[(&str, &str)], input: &str, output: &str) -> Value {
    let mut members = json!({"ProjectName": project});
    configuration.iter().for_each(|(key, value)| members[*key] = json!(value));
    let artifacts = (json!([{"name": input}]), json!([{"name": output}]));
    action(
        name,
        "Build/AWS/CodeBuild/1",
        &json!({"configuration": members, "inputArtifacts": artifacts.0, "outputArtifacts": artifacts.1}),
    )
}

/// The two outputs of `--dry-run`, whose environment has the variable `SECRET`.
pub(super) fn dry_run(folder: &Path, arguments: &[&str]) -> (String, String) {
    let arguments = [&["--source", "App=app", "--dry-run"], arguments].concat();
    let output = program(folder, &arguments).env("SECRET", "hunter2").output().unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn dry_run_reads_the_buildspec_of_a_source() {
    let folder = folder(&[build("Pages", "web", &[], "App", "Site")]);
    let wrong = |buildspec: Option<&str>| {
        let file = folder.path().join("app/buildspec.yml");
        match buildspec {
            Some(text) => std::fs::write(file, text).unwrap(),
            None => drop(std::fs::remove_file(file)),
        }
        dry_run(folder.path(), &[]).1
    };
    for (buildspec, named) in [
        (None, "buildspec.yml in the primary source does not exist: add it"),
        (Some("version: 0.2\nrun-as: root\nphases: {}\n"), "buildspec.yml:2: run-as is not supported"),
        (Some("version: 0.2\nbatch: {}\nphases: {}\n"), "buildspec.yml:2: batch is not supported"),
        (
            Some("version: 0.2\nenv: {parameter-store: {B: ''}}\nphases: {build: {commands: [ls]}}\n"),
            "buildspec.yml:2: env/parameter-store/B is empty: write the name",
        ),
        (Some("version: 0.3\nphases: {}\n"), "buildspec.yml:1: version is unknown: write 0.2"),
        (
            Some("version: 0.2\nphases: {build: {on-failure: RETRY, commands: [ls]}}\n"),
            "buildspec.yml:2: phases/build/on-failure is RETRY",
        ),
        (Some("version: 0.2\nphases: {build: {commands: [ls]}}\n"), ""),
    ] {
        let error = wrong(buildspec);
        match named {
            "" => assert_eq!(error, ""),
            named => {
                assert!(error.contains(&format!("Work/Pages: {named}")), "{error}");
                assert_eq!(error.contains("does not define the CodeBuild project"), buildspec.is_none(), "{error}");
            }
        }
    }
}

#[test]
fn dry_run_names_the_secrets_that_builds_need() {
    let of_action = r##"[{"name": "KEY", "value": "web/key", "type": "SECRETS_MANAGER"},
        {"name": "ANY", "value": "#{SourceVariables.CommitId}", "type": "PARAMETER_STORE"}]"##;
    let folder = folder(&[
        build("Pages", "web", &[("EnvironmentVariables", of_action)], "App", "Site"),
        // The buildspec of this one is not known before the first has run.
        build("Later", "web", &[], "Site", "Other"),
        action(
            "Check",
            "Compute/AWS/Commands/1",
            &json!({"commands": ["ls"], "inputArtifacts": [{"name": "App"}],
                "environmentVariables": [{"name": "T", "value": "it's", "type": "SECRETS_MANAGER"}]}),
        ),
    ]);
    let buildspec = "version: 0.2\nenv: {parameter-store: {P: /db}}\nphases: {build: {commands: [ls], typo: 1}}\n\
        artifacts: {files: a}\n";
    std::fs::write(folder.path().join("app/buildspec.yml"), buildspec).unwrap();
    let (output, error) = dry_run(folder.path(), &["--secret", "/db=SECRET"]);
    let wanted = "\
codepipeline-local: Work/Pages: the variable KEY needs the secret web/key: add --secret 'web/key=ENV', where ENV is the name of an \
environment variable that holds its value
codepipeline-local: Work/Check: the variable T needs the secret it's: add --secret \"it's=ENV\", where ENV is the name of an environment \
variable that holds its value
";
    assert_eq!(error, wanted);
    assert!(output.contains("note buildspec.yml:3: phases/build/typo is ignored"), "{output}");
    let output = program(folder.path(), &["--source", "App=app", "--list"]).output().unwrap();
    let listed = text(&output.stdout);
    assert!(
        output.status.success() && listed.contains("\n  --secret 'web/key=ENV'\n  --secret '/db=ENV'\n"),
        "{listed}"
    );
}

#[test]
fn secret_that_no_build_needs_is_noted() {
    let folder = folder(&[build("Pages", "web", &[], "App", "Site")]);
    std::fs::write(folder.path().join("app/buildspec.yml"), "version: 0.2\nphases: {build: {commands: [ls]}}\n")
        .unwrap();
    let (output, error) = dry_run(folder.path(), &["--secret", "web/kye=SECRET"]);
    assert!(output.contains("note --secret web/kye: no build needs it"), "{output}{error}");
}

#[test]
fn action_without_its_artifact_names_the_build_that_stored_none() {
    let (mut later, mut reads) = (build("Later", "web", &[], "Site", "Other"), commands("Use", &["ls"]));
    (later["runOrder"], reads["runOrder"]) = (json!(2), json!(3));
    reads["inputArtifacts"] = json!([{"name": "Other"}]);
    let folder = folder(&[build("Pages", "web", &[], "App", "Site"), later, reads]);
    // The buildspec of the second build is in the artifact of the first one, so it is not known before the run.
    let buildspec = "version: 0.2\nphases: {build: {commands: [ls]}}\n";
    let app = folder.path().join("app");
    std::fs::create_dir(app.join("next")).unwrap();
    std::fs::write(app.join("next/buildspec.yml"), buildspec).unwrap();
    let first = format!("{buildspec}artifacts: {{base-directory: next, files: '**/*'}}\n");
    std::fs::write(app.join("buildspec.yml"), first).unwrap();
    let output = run(folder.path(), &["--source", "App=app"]);
    let shown = text(&output.stdout);
    let named = "the input artifact Other does not exist: Later stored no artifact; add artifacts to its buildspec";
    assert!(!output.status.success() && shown.contains(named), "{shown}{}", text(&output.stderr));
}
