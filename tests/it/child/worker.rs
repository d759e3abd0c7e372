//! Runs the worker's binary as an ordinary user, with commands for it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use codepipeline_local::runtime_api::{Function, FunctionSettings, Invocation, Output};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::children::Children;
use crate::support::small_disk::with_small_disk;
use crate::support::tee::{Heard, tee};
use crate::support::{World, custom, output, zip};

/// Runs a command as `nobody`. Every Linux has this user.
const NOBODY: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// An emulator, and a worker that its Runtime API invokes.
pub(crate) struct Scene {
    pub(crate) world: World,
    function: Function,
    log: UnboundedReceiver<String>,
    /// The responses that the worker received.
    pub(crate) heard: Heard,
    jobs: usize,
}

/// The end of a command's job.
pub(crate) struct Ended {
    /// `None` if it succeeded.
    pub(crate) failure: Option<String>,
    /// The output artifact if it succeeded: paths and bytes.
    pub(crate) output: BTreeMap<String, Vec<u8>>,
}

impl Scene {
    /// A worker with these variables in addition to its own.
    pub(crate) async fn new(variables: &[(&str, &str)]) -> Self {
        Self::with(variables, None).await
    }

    /// A worker whose work folder has space for this many bytes.
    pub(crate) async fn with_room(bytes: u64) -> Self {
        Self::with(&[], Some(bytes)).await
    }

    pub(crate) async fn with(variables: &[(&str, &str)], room: Option<u64>) -> Self {
        let world = World::new().await;
        world.start_processes();
        world.create_type("Test", "Shell", &[]).await;
        let (endpoint, heard) = tee(&world.emulator.endpoint()).await;
        let (lines, log) = unbounded_channel();
        let actions = json!([{
            "actionType": {"category": "Test", "owner": "Custom", "provider": "Shell", "version": "1"},
            "timeoutSeconds": 60,
            "run": {"command": ["sh", "./script.sh"]}
        }]);
        let command = command(&world, room);
        let work_folder = world.work_folder().to_str().unwrap().to_owned();
        let own = [
            ("ACTIONS", actions.to_string()),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("HOME", work_folder.clone()),
            ("WORK_FOLDER", work_folder),
            // Some of these disks are smaller than the default minimum.
            ("MIN_FREE_BYTES", "0".to_owned()),
        ];
        let given = variables.iter().map(|&(name, value)| (name, value.to_owned()));
        let function = Function::new(FunctionSettings {
            name: "worker".into(),
            command,
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            env: own.into_iter().chain(given).map(|(name, value)| (name.to_owned(), value)).collect(),
            timeout: Duration::from_secs(300),
            memory_mb: 512,
            output: Output::Lines(lines),
        });
        Self { world, function: function.unwrap(), log, heard, jobs: 0 }
    }

    /// Runs `script` in a new job, with `files` in the same folder.
    pub(crate) async fn run(&mut self, script: &str, files: &[(&str, &str)]) -> Ended {
        let (pipeline, invocation) = self.invoke(script, files).await;
        let Invocation::Answered(summary) = &invocation else { panic!("{invocation:?}\n{}", self.logged()) };
        assert_eq!(summary["claimed"], 1, "{summary}\n{}", self.logged());
        if summary["succeeded"] == 1 {
            return Ended { failure: None, output: unzipped(self.world.output_artifact(&pipeline, "Act").await) };
        }
        assert_eq!(summary["failed"], 1, "{summary}\n{}", self.logged());
        let ended = self.world.action(&pipeline, "Act").await.unwrap().error_details.unwrap();
        Ended { failure: ended.message, output: BTreeMap::new() }
    }

    /// Runs `script`, which kills the worker.
    pub(crate) async fn run_and_kill_worker(&mut self, script: &str) {
        let (_, invocation) = self.invoke(script, &[]).await;
        assert!(!matches!(invocation, Invocation::Answered(_)), "{invocation:?}");
    }

    pub(crate) async fn invoke(&mut self, script: &str, files: &[(&str, &str)]) -> (String, Invocation) {
        self.jobs += 1;
        let pipeline = format!("p{}", self.jobs);
        let action = custom("Act", "Test", "Shell").output_artifacts(output("Out"));
        self.world.create_pipeline(&pipeline, vec![("Test", vec![action])]).await;
        let all: Vec<_> = files.iter().copied().chain([("script.sh", script)]).collect();
        self.world.put_source(zip(&all)).await;
        self.world.start(&pipeline).await;
        self.world.until_begun(&pipeline, "Act").await;

        let schedule: Value = serde_json::from_str(include_str!("../../../events/schedule.json")).unwrap();
        (pipeline, self.function.invoke(&schedule).await.unwrap())
    }

    /// The log lines since the last call.
    pub(crate) fn logged(&mut self) -> String {
        let mut logged = String::new();
        while let Ok(line) = self.log.try_recv() {
            logged.push_str(&line);
            logged.push('\n');
        }
        logged
    }

    /// Asserts that the worker's folder is empty.
    pub(crate) fn assert_clean(&self) {
        let own = self.world.work_folder().join("codepipeline-worker-0");
        let left: Vec<PathBuf> = std::fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "the job left {left:?}");
    }

    pub(crate) async fn stop(&self) {
        self.function.clone().stop().await;
    }
}

impl Ended {
    pub(crate) fn failed(self) -> String {
        self.failure.expect("the command to fail")
    }

    pub(crate) fn succeeded(self) -> BTreeMap<String, Vec<u8>> {
        assert!(self.failure.is_none(), "{:?}", self.failure);
        self.output
    }
}

/// The command that starts the worker's binary as an ordinary user. The user must be able to read the binary. Otherwise the kernel
/// protects the process, and the tests would prove nothing.
fn command(world: &World, room: Option<u64>) -> Vec<String> {
    let mut binary = PathBuf::from(env!("CARGO_BIN_EXE_codepipeline-worker"));
    let work_folder = world.work_folder();
    std::fs::create_dir(&work_folder).unwrap();
    let ordinary_user = ordinary_user();
    if !ordinary_user.is_empty() {
        needed(&[], "to start the worker as an ordinary user; or run the test as one");
        let copy = world.folder.path().join("worker");
        std::fs::copy(binary, &copy).unwrap();
        for (path, mode) in [(world.folder.path(), 0o755), (&work_folder, 0o777), (&copy, 0o755)] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        binary = copy;
    }
    let mut command = match room {
        Some(bytes) => with_small_disk(&work_folder, &format!("mode=777,size={bytes}"), ordinary_user),
        None => ordinary_user.iter().map(|&it| it.to_owned()).collect(),
    };
    command.push(binary.to_str().unwrap().to_owned());
    command
}

/// The prefix of a command line that runs the rest as the worker's user.
fn ordinary_user() -> &'static [&'static str] {
    if rustix::process::getuid().is_root() { &NOBODY } else { &[] }
}

/// Fails the test if the worker's user can't start a process with `command`.
pub(crate) fn needed(command: &[&str], why: &str) {
    let _children = Children::of_the_test();
    let command = [ordinary_user(), command, &["true"]].concat();
    let error = match Command::new(command[0]).args(&command[1..]).output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    panic!("this test needs `{}` (util-linux) {why}; it failed: {error}", command.join(" "));
}

fn unzipped(archive: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ::zip::ZipArchive::new(Cursor::new(archive)).unwrap();
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
