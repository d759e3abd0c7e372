//! Variables of git sources that are checked before anything runs.

use serde_json::{Value, json};

use super::{commands, folder, run, text};

#[test]
fn dry_run_compares_names_with_the_source() {
    let mut show = commands("Show", &["echo \"$ID\""]);
    show["environmentVariables"] = json!([{"name": "ID", "value": "#{Source.Nope}"}]);
    let folder = folder(&[show]);
    let file = folder.path().join("pipeline.json");
    let mut declared: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    declared["pipeline"]["stages"][0]["actions"][0]["namespace"] = json!("Source");
    std::fs::write(&file, declared.to_string()).unwrap();
    let wrong = ["--source", "App=app", "--variable", "Source.CommitID=x", "--dry-run"];
    let output = run(folder.path(), &wrong);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success() && !shown.contains("ready"), "{shown}");
    let known = "has no variable CommitID; use one of AuthorDate, BranchName, CommitId, ";
    assert!(error.contains(&format!("--variable Source.CommitID: Source/App {known}")), "{error}");
    assert!(error.contains("Work/Show needs #{Source.Nope}, but Source/App has no variable Nope"), "{error}");
    let right = declared.to_string().replace("Source.Nope", "Source.CommitId");
    std::fs::write(&file, right).unwrap();
    let output = run(folder.path(), &["--source", "App=app", "--variable", "Source.CommitId=x", "--dry-run"]);
    assert!(output.status.success() && text(&output.stdout).contains("ready"), "{}", text(&output.stderr));
}

#[test]
fn stages_that_are_no_list_are_refused() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("x.json"), r#"{"pipeline": {"stages": "a"}}"#).unwrap();
    let output = run(folder.path(), &["x.json", "--list"]);
    assert!(!output.status.success() && text(&output.stderr).contains("a list of stages"), "{}", text(&output.stdout));
}
