//! How runs end: exit codes, artifacts, secrets and signals.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::json;

use super::{action, commands, folder, program, run, terminate, text};

#[test]
fn failed_action_is_the_exit_code() {
    let folder = folder(&[commands("Break", &["echo before", "exit 3"])]);
    let output = run(folder.path(), &["--source", "App=app"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("[Break] before") && shown.contains("failed Work/Break"), "{shown}");
    assert!(error.starts_with("codepipeline-local: web failed: Work/Break: JobFailed: "), "{error}");
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
fn signal_stops_the_worker_and_the_build() {
    let shell = action("Own", "Test/Custom/Shell/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    let folder = folder(&[commands("Long", &["echo $$ build; sleep 600"]), shell]);
    let worker = "sh -c 'sleep 601 & echo $$ worker $!; wait'";
    let mut child = program(folder.path(), &["--source", "App=app", "--worker", worker]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut found = Vec::new();
    while found.len() < 3 {
        let line = lines.next().unwrap().unwrap();
        let Some((_, text)) = line.split_once("] ").filter(|(_, text)| !text.contains('$')) else { continue };
        found.extend(text.split(' ').filter(|word| word.parse::<u32>().is_ok()).map(str::to_owned));
    }
    terminate(&child);
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(error.contains("SIGTERM; stopped the run and all that it started"), "{error}");
    let is_running = |id: &String| {
        std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    while found.iter().any(is_running) {
        std::thread::yield_now();
    }
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
