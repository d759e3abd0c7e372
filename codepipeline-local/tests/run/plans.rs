//! `--list`, `--dry-run`, and command lines that are refused before anything runs.

use std::process::Command;

use serde_json::json;

use super::{action, commands, folder, run, text};

#[test]
fn list_shows_the_plan_and_runs_nothing() {
    let folder = folder(&[commands("Mark", &["touch /dev/null; echo ran"])]);
    let output = run(folder.path(), &["--list"]);
    let wanted = "\
web, from pipeline.json
Source
  ─ App   Source/AWS/CodeCommit/1  MISSING: no folder stands for this source
  ↓
Work
  ─ Mark  Compute/AWS/Commands/1   commands, in a shell

add to the command:
  --source App=DIR
";
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), wanted);
}

#[test]
fn dry_run_checks_and_runs_nothing() {
    let folder = folder(&[commands("Mark", &["echo ran"])]);
    let output = run(folder.path(), &["--source", "App=app", "--dry-run"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "ready the emulator accepts web; run it without --dry-run\n");
}

#[test]
fn dry_run_shows_why_the_emulator_refuses_the_pipeline() {
    let folder = folder(&[action("Late", "Compute/AWS/Commands/1", &json!({"commands": [], "runOrder": 0}))]);
    let output = run(folder.path(), &["--source", "App=app", "--dry-run"]);
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.contains("the emulator refuses the pipeline web"), "{error}");
}

#[test]
fn missing_flags_end_the_run_before_it_starts() {
    let folder =
        folder(&[action("Own", "Test/Custom/Shell/1", &json!({})), action("Ship", "Deploy/AWS/ECS/1", &json!({}))]);
    let output = run(folder.path(), &[]);
    let wanted = "\
codepipeline-local: Source/App: no folder stands for this source; add --source App=DIR
codepipeline-local: Work/Own: no worker runs this custom action; add --worker 'COMMAND' (or --function worker='COMMAND' for a Lambda function)
codepipeline-local: Work/Ship: ECS of AWS does not run on this machine; add --provider 'Deploy/AWS/ECS/1=COMMAND' (or --skip Ship)
";
    assert!(!output.status.success());
    assert_eq!((text(&output.stderr).as_str(), text(&output.stdout).as_str()), (wanted, ""));
}

#[test]
fn variable_of_a_skipped_action_is_given() {
    let mut make = commands("Make", &["export ID=1"]);
    make["namespace"] = json!("Build");
    make["outputVariables"] = json!(["ID"]);
    let mut show = commands("Show", &["echo \"id #{Build.ID}\""]);
    show["runOrder"] = json!(2);
    let mut last = commands("Last", &["echo #{Build.ID}"]);
    last["runOrder"] = json!(3);
    let folder = folder(&[make, show, last]);
    let run = |arguments: &[&str]| {
        let output = run(folder.path(), &[&["--source", "App=app"], arguments].concat());
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, error) = run(&["--only", "Show"]);
    assert_eq!(
        error,
        "codepipeline-local: Work/Show needs the variable #{Build.ID} of Work/Make, which is skipped; \
         add --variable Build.ID=VALUE\n"
    );
    let (output, error) = run(&["--only", "Show", "--variable", "Build.ID=7"]);
    assert!(output.contains("[Show] id 7") && error.is_empty(), "{output}{error}");
    let (output, error) = run(&["--only", "Make"]);
    assert!(output.contains("succeeded web") && error.is_empty(), "{output}{error}");
    let (output, error) = run(&["--skip", "Make", "--skip", "Show", "--skip", "Last"]);
    assert!(output.contains("succeeded web") && error.is_empty(), "no skipped action needs it: {output}{error}");
    assert!(run(&["--variable", "Build.ID=7"]).1.contains("the action Work/Make runs and gives this value"));
    assert!(run(&["--variable", "Buidl.ID=7"]).1.contains("no action has the namespace Buidl; did you mean Build?"));
}

#[test]
fn pipe_as_the_file_is_refused() {
    let folder = folder(&[]);
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    for file in ["pipe", "/dev/zero", "-"] {
        let error = text(&run(folder.path(), &[file, "--list"]).stderr);
        assert!(error.contains("a pipeline is read from a regular file"), "{error}");
    }
}

#[test]
fn folder_without_a_pipeline_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let error = text(&run(folder.path(), &[]).stderr);
    assert!(error.contains("codepipeline-local run FILE"), "{error}");
}
