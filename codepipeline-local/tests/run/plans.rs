//! `--list`, `--dry-run`, and command lines that are refused before anything runs.

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
fn folder_without_a_pipeline_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let error = text(&run(folder.path(), &[]).stderr);
    assert!(error.contains("codepipeline-local run FILE"), "{error}");
}
