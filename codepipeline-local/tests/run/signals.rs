//! Signals: what ends, and what does not start any more.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{action, commands, folder, program, terminate};

/// The worker's action, which no worker ends.
fn own() -> Value {
    action("Own", "Test/Custom/Shell/1", &json!({"inputArtifacts": [{"name": "App"}]}))
}

fn is_running(id: &String) -> bool {
    // A zombie does not run.
    std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until the processes have ended. Fails after a minute.
fn end(ids: &[String]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while ids.iter().any(is_running) {
        assert!(Instant::now() < deadline, "a process of {ids:?} still runs");
        std::thread::yield_now();
    }
}

/// Reads lines until `count` numbers were printed after a name in brackets. They are ids of processes.
fn ids(lines: &mut impl Iterator<Item = std::io::Result<String>>, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < count {
        let line = lines.next().unwrap().unwrap();
        let Some((_, text)) = line.split_once("] ").filter(|(_, text)| !text.contains('$')) else { continue };
        found.extend(text.split(' ').filter(|word| word.parse::<u32>().is_ok()).map(str::to_owned));
    }
    found
}

#[test]
fn signal_stops_worker_function_and_build() {
    // A child in another session has no parent any more, and does not have the worker's output open.
    let daemon = "setsid sh -c \"sleep 602 & echo \\$! > PID\" >log 2>&1; cat PID";
    let folder = folder(&[commands("Long", &["echo $$ build; sleep 600"]), own()]);
    let worker = format!("sh -c '{}; sleep 601 & echo $$ $!; wait'", daemon.replace("PID", "worker.pid"));
    let function = format!("invoked=sh -c '{}; echo $$; sleep 603'", daemon.replace("PID", "function.pid"));
    let arguments = ["--source", "App=app", "--worker", &worker, "--function", &function];
    let mut declared: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("pipeline.json")).unwrap()).unwrap();
    let invoke = action("Invoke", "Invoke/AWS/Lambda/1", &json!({"configuration": {"FunctionName": "invoked"}}));
    declared["pipeline"]["stages"][1]["actions"].as_array_mut().unwrap().push(invoke);
    std::fs::write(folder.path().join("pipeline.json"), declared.to_string()).unwrap();
    let mut child = program(folder.path(), &arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = ids(&mut lines, 6);
    assert!(found.iter().all(is_running), "{found:?}");
    terminate(&child);
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(error.contains("SIGTERM; stopped the run and all that it started"), "{error}");
    end(&found);
}

/// Starts `run` with a worker that ignores SIGTERM, and sends SIGTERM. Returns the rest of the output and the worker's process.
fn stubborn(folder: &Path) -> (Child, impl Iterator<Item = std::io::Result<String>> + use<>, Vec<String>) {
    let worker = "sh -c 'trap \"\" TERM; sleep 600 & echo $$ $!; wait'";
    let mut child = program(folder, &["--source", "App=app", "--worker", worker]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = ids(&mut lines, 2);
    terminate(&child);
    (child, lines, found)
}

#[test]
fn worker_that_ignores_sigterm_is_killed() {
    let folder = folder(&[own()]);
    let (mut child, lines, found) = stubborn(folder.path());
    let shown: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(shown.iter().any(|line| line.contains("did not end within 5s of SIGTERM and was killed")), "{shown:?}");
    end(&found);
}

#[test]
fn second_signal_kills_the_worker_at_once() {
    let folder = folder(&[own()]);
    let (mut child, mut lines, found) = stubborn(folder.path());
    while !lines.next().unwrap().unwrap().contains("has not ended yet; Ctrl-C kills it") {}
    terminate(&child);
    let shown: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!shown.iter().any(|line| line.contains("did not end within")), "{shown:?}");
    end(&found);
}

#[test]
fn signal_lets_no_later_action_start() {
    let here = tempfile::tempdir().unwrap();
    let file = |name: &str| here.path().join(name).display().to_string();
    let (go, shipped) = (file("go"), file("shipped"));
    let build = commands("Build", &["echo $$ build", &format!("while [ ! -e {go} ]; do sleep 0.01; done")]);
    let mut ship = action("Ship", "Deploy/AWS/ECS/1", &json!({"inputArtifacts": [{"name": "App"}]}));
    let mut own = own();
    (ship["runOrder"], own["runOrder"]) = (json!(2), json!(3));
    let folder = folder(&[build, ship, own]);
    // The worker lets the build end, and gives the deployment two seconds.
    let worker = format!(
        "sh -c 'trap \"touch {go}; for i in \\$(seq 200); do [ -e {shipped} ] && break; sleep 0.01; done; exit\" TERM; \
         echo $$; sleep 600 & wait'"
    );
    let provider = format!("Deploy/AWS/ECS/1=touch {shipped}");
    let arguments = ["--source", "App=app", "--provider", &provider, "--worker", &worker];
    let mut child = program(folder.path(), &arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = ids(&mut lines, 2);
    terminate(&child);
    let shown: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    end(&found);
    assert!(Path::new(&go).exists(), "the worker got SIGTERM");
    assert!(!Path::new(&shipped).exists() && !shown.iter().any(|line| line.contains("Ship")), "{shown:?}");
}
