//! What a command's processes can find out about the worker that started them, tried by a real one against the real binary.
//!
//! The kernel lets root look at everything, so the worker is run as an ordinary user: as the one who runs the test or, if
//! that is root (as in many containers), as `nobody`, by means of `setpriv`.
#![allow(clippy::unwrap_used, reason = "a scenario whose set-up fails has failed")]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use codepipeline_local::runtime_api::{Function, FunctionSettings, Invocation, Output};
use serde_json::{Value, json};
use support::tee::{tee, values};
use support::{World, custom, output, zip};
use tokio::sync::mpsc::unbounded_channel;

/// In the function's environment. Only this test has them, since the command looks at all processes of its user.
const KEY_ID: &str = "MARKERofthefunctionskeyid";
const KEY: &str = "MARKER-of-the-functions-secret-key";
const TOKEN: &str = "MARKER-of-the-functions-session-token";
const OTHER: &str = "MARKER-of-the-functions-own-variable";
/// In the environment of a process that is not shielded (probe.sh).
const WITNESS: &str = "MARKER-of-the-witness";

/// `nobody`, on every Linux.
const NOBODY: &str = "65534";

/// What /proc protects (proc(5)): each needs the right to trace the process. `nothing` is how a try at it must end.
const PROTECTED: [&str; 15] = [
    "environ", "maps", "smaps", "auxv", "io", "cwd", "root", "exe", "fd", "map_files", "mem", "memory", "open-files",
    "threads-environ", "threads-mem",
];

/// Starts the worker's binary as an ordinary user who may read and execute it. A process whose binary it may not read is
/// shielded by the kernel, and then this would test nothing.
fn ordinary_worker(world: &World) -> Vec<String> {
    let original = Path::new(env!("CARGO_BIN_EXE_codepipeline-worker"));
    if !rustix::process::getuid().is_root() {
        return vec![original.to_str().unwrap().to_owned()];
    }
    let found = Command::new("setpriv").arg("--version").output();
    assert!(
        found.is_ok_and(|it| it.status.success()),
        "this test needs `setpriv` (util-linux) to start the worker as an ordinary user, or to be run as one"
    );
    let reachable = world.folder.path().join("worker");
    std::fs::copy(original, &reachable).unwrap();
    let folders = [world.folder.path().to_owned(), world.work_folder()];
    for (path, mode) in folders.into_iter().map(|folder| (folder, 0o777)).chain([(reachable.clone(), 0o755)]) {
        if !path.exists() {
            std::fs::create_dir(&path).unwrap();
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let options = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--no-new-privs"];
    let setpriv = ["setpriv"].into_iter().chain(options).chain([reachable.to_str().unwrap()]);
    setpriv.map(str::to_owned).collect()
}

/// A pipeline whose action `Probe` has begun, with the probe in its input artifact.
async fn world() -> World {
    let world = World::new().await;
    world.create_type("Test", "Probe", &[]).await;
    let action = custom("Probe", "Test", "Probe").output_artifacts(output("Out"));
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("probe.sh", include_str!("probe.sh")), ("witness.txt", "a line\n")])).await;
    world.start("p").await;
    world.until_begun("p", "Probe").await;
    world
}

/// What the probe brought home: paths in its output artifact, and their bytes.
async fn booty(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(world.output_artifact("p", "Probe").await)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_processes_find_no_credentials_anywhere() {
    let world = world().await;
    let (endpoint, heard) = tee(&world.emulator.endpoint()).await;
    let (lines, mut log) = unbounded_channel();
    let actions = json!([{
        "actionType": {"category": "Test", "owner": "Custom", "provider": "Probe", "version": "1"},
        "timeoutSeconds": 60,
        "run": {"command": ["sh", "./probe.sh", ""]}
    }]);
    let variables = [
        ("ACTIONS", actions.to_string()),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ("AWS_SESSION_TOKEN", TOKEN.to_owned()),
        ("DATABASE_PASSWORD", OTHER.to_owned()),
        ("HOME", world.work_folder().to_str().unwrap().to_owned()),
        ("WORK_FOLDER", world.work_folder().to_str().unwrap().to_owned()),
    ];
    let function = Function::new(FunctionSettings {
        name: "worker".into(),
        command: ordinary_worker(&world),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
        env: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        timeout: Duration::from_secs(300),
        memory_mb: 512,
        output: Output::Lines(lines),
    });
    let function = function.unwrap();
    let schedule: Value = serde_json::from_str(include_str!("../../events/schedule.json")).unwrap();

    let invocation = function.invoke(&schedule).await.unwrap();
    function.stop().await;

    let mut logged = String::new();
    while let Some(line) = log.recv().await {
        logged.push_str(&line);
        logged.push('\n');
    }
    let told = world.action("p", "Probe").await.unwrap().error_details;
    assert!(matches!(&invocation, Invocation::Answered(summary) if summary["succeeded"] == 1), "{invocation:?}\n{told:?}\n{logged}");
    let booty = booty(&world).await;

    // The probe can find what is there to be found.
    for file in ["environ", "memory", "threads-environ"] {
        assert!(holds(&booty[&format!("child/witness/{file}")], WITNESS), "the probe finds nothing in {file} of anybody");
    }
    let tries = |who: &str| String::from_utf8(booty[&format!("{who}/tries")].clone()).unwrap();
    for name in PROTECTED {
        // All but what the witness doesn't have.
        assert!(tries("child").contains(&format!("witness {name} got")), "{name} of the witness: {}", tries("child"));
    }
    // It did not get it from the worker.
    let mut standpoints = vec!["child", "stranger"];
    standpoints.extend(booty.contains_key("root/tries").then_some("root"));
    for who in standpoints {
        for name in PROTECTED {
            assert!(tries(who).contains(&format!("worker {name} nothing")), "{name} as {who}:\n{}", tries(who));
        }
    }
    // Standard input, output, error, and the folder that `ls` reads.
    assert_eq!(String::from_utf8_lossy(&booty["child/own/open-files"]), "0\n1\n2\n3\n");

    let mut secrets: Vec<String> = [KEY_ID, KEY, TOKEN, OTHER].map(str::to_owned).into();
    for member in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        let of_the_job = values(&heard, member);
        assert!(!of_the_job.is_empty(), "the worker was sent no {member}");
        secrets.extend(of_the_job);
    }
    let found: Vec<_> = booty
        .iter()
        .flat_map(|(file, bytes)| secrets.iter().filter(|secret| holds(bytes, secret)).map(move |secret| (file, secret)))
        .collect();
    assert!(found.is_empty(), "the command has found {found:?}");
}
