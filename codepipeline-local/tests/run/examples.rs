//! The documented commands of `examples/pipelines`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{PROGRAM, text};

/// Runs the command that the README has below the heading, in a folder with a copy of the examples.
fn documented(heading: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("examples/pipelines/README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("## {heading}\n")).expect(heading);
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (command, _) = block.split_once("```").unwrap();
    assert_eq!(command.matches("codepipeline-local -- run ").count(), 1, "{command}");
    let command = command
        .replace("cargo build && ", "")
        .replace("cargo run -p codepipeline-local --", PROGRAM)
        .replace("target/debug/codepipeline-worker", &worker(command).display().to_string());
    let folder = tempfile::tempdir().unwrap();
    copy(&root.join("examples/pipelines"), &folder.path().join("examples/pipelines"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(folder.path()).stdin(Stdio::null());
    shell.output().unwrap()
}

/// The worker's binary next to the emulator's, if the command needs it. A test of this package alone builds it.
fn worker(command: &str) -> PathBuf {
    let binary = Path::new(PROGRAM).with_file_name("codepipeline-worker");
    if command.contains("codepipeline-worker") && !binary.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--locked", "-p", "codepipeline-worker"]).status();
        assert!(built.unwrap().success());
    }
    binary
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let into = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &into),
            false => drop(std::fs::copy(entry.path(), into).unwrap()),
        }
    }
}

fn succeeds(heading: &str, lines: &[&str]) {
    let output = documented(heading);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    for line in lines {
        assert!(shown.lines().any(|shown| shown.starts_with(line)), "{line}\n{shown}");
    }
}

#[test]
fn cdk_pipeline_runs_with_the_real_worker() {
    succeeds("cdk", &["[Pages] stored 2 files", "[worker] 2 pages", "[worker] <h1>A site</h1>", "succeeded web"]);
}

#[test]
fn sam_pipeline_is_approved_and_deploys() {
    let deployed = "succeeded Deploy/Site";
    succeeds("sam", &["  comment: 23 letters for a test", deployed, "succeeded hello-test"]);
}

#[test]
fn get_pipeline_runs_with_two_sources() {
    succeeds("get-pipeline", &["[Check] words.txt has words", "[Write] 3 words for managers", "succeeded report"]);
}

#[test]
fn unsupported_provider_has_a_stand_in() {
    let deployed = "[Service] deploy [{\"name\": \"web\", \"imageUri\": \"example/web:1\"}] to blue";
    succeeds("unsupported", &[deployed, "[Notify] skipped", "succeeded service"]);
}
