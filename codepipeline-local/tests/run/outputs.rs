//! `--output`

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::json;

use super::{commands, folder, program, run, terminate, text};

#[test]
fn output_inside_a_source_does_not_change_it() {
    let folder = folder(&[commands("Look", &["ls"])]);
    let arguments = ["--source", "App=app", "--output", "app/out"];
    let mut sources = Vec::new();
    for _ in 0..3 {
        let output = run(folder.path(), &arguments);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        sources.push(names(&folder.path().join("app/out/App")));
    }
    let wanted = BTreeSet::from(["hello.txt".to_owned()]);
    assert!(sources.iter().all(|names| *names == wanted), "{sources:?}");
}

#[test]
fn source_inside_the_output_is_refused() {
    let folder = folder(&[commands("Look", &["ls"])]);
    assert!(run(folder.path(), &["--source", "App=app", "--output", "out"]).status.success());
    let output = run(folder.path(), &["--source", "App=out/App", "--output", "out"]);
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("--source App: out/App is in the folder of --output"),
        "{error}"
    );
    assert!(folder.path().join("out/App/hello.txt").exists());
}

#[test]
fn failures_of_the_pipeline_and_of_an_artifact_are_both_shown() {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("out");
    let mut make = commands("Make", &["echo made > made.txt"]);
    make["outputArtifacts"] = json!([{"name": "Made", "files": ["made.txt"]}]);
    // The file is where the artifact's folder would be.
    let mut last = commands("Break", &[&format!("echo > {}/App", out.display()), "exit 3"]);
    last["runOrder"] = json!(2);
    let folder = folder(&[make, last]);
    let output = run(folder.path(), &["--source", "App=app", "--output", out.to_str().unwrap()]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "web failed: Work/Break".to_owned(),
        format!("--output {}: artifact App: could not unpack it: ", out.display()),
    ] {
        assert!(error.contains(&format!("codepipeline-local: {part}")), "{error}");
    }
    // The artifacts after it are there.
    assert_eq!(names(&out), BTreeSet::from([".codepipeline-local", "App", "Made"].map(str::to_owned)));
    assert_eq!(std::fs::read_to_string(out.join("Made/made.txt")).unwrap(), "made\n");
    assert!(names(&folder.path().join("tmp")).is_empty(), "the temporary folders are gone");
}

#[test]
fn output_of_another_run_is_refused() {
    let folder = folder(&[commands("Wait", &["echo build; sleep 600"])]);
    let arguments = ["--source", "App=app", "--output", "out"];
    let mut first = program(folder.path(), &arguments).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "[Wait] build"));
    let error = text(&run(folder.path(), &arguments).stderr);
    assert!(error.contains("--output out: another run uses the folder; wait until it ends"), "{error}");
    terminate(&first);
    first.wait().unwrap();
}

#[test]
fn unwritable_output_is_found_before_the_run() {
    let folder = folder(&[commands("Never", &["echo ran"])]);
    let output = run(folder.path(), &["--source", "App=app", "--output", "/proc/x"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert!(error.contains("--output /proc/x: could not create the folder: "), "{error}");
    assert!(error.contains("name a folder that you may write to") && !shown.contains("Never"), "{shown}{error}");
}

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
