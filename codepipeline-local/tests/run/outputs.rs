//! `--output`

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

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
fn failure_of_the_pipeline_and_of_output_are_both_shown() {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("out");
    // The file is where the artifact's folder would be.
    let folder = folder(&[commands("Break", &[&format!("echo > {}/App", out.display()), "exit 3"])]);
    let output = run(folder.path(), &["--source", "App=app", "--output", out.to_str().unwrap()]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for part in ["codepipeline-local: web failed: Work/Break", "codepipeline-local: could not unpack the artifact App"]
    {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(names(&out), BTreeSet::from([".codepipeline-local".to_owned(), "App".to_owned()]));
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
