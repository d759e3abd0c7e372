//! A world with one action, for single worker deaths.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::Options;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::runtime_api::{Function, FunctionSettings, Invocation, Output};
use codepipeline_local::types::Timestamp;
use codepipeline_worker::ledger::{Ledger, Listed};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::scenario::{LEDGER, TIMEOUT};
use crate::support::{self, World, custom, output, shell, zip};

/// A pipeline `p` whose one action `A` runs a command and has the output artifact `Out`.
pub(crate) struct Lone {
    pub(crate) world: World,
    pub(crate) time: ManualClock,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    /// For files that the command leaves, outside the work folder.
    effects: tempfile::TempDir,
}

impl Lone {
    /// In `command`, `EFFECTS` stands for the folder for files that it leaves.
    pub(crate) async fn start(command: &str) -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let world = World::with(Options { clock: time.clock(), ..Options::default() }).await;
        world.start_processes();
        let effects = tempfile::tempdir().unwrap();
        world.s3.create_bucket().bucket(LEDGER).send().await.unwrap();
        world.create_type("Build", "Shell", &["Command"]).await;
        let command = command.replace("EFFECTS", effects.path().to_str().unwrap());
        let action = custom("A", "Build", "Shell").output_artifacts(output("Out")).configuration("Command", command);
        world.create_pipeline("p", vec![("Build", vec![action])]).await;
        world.put_source(zip(&[("small", "file")])).await;
        Self { world, time, lines: Arc::default(), effects }
    }

    /// Starts the pipeline again, and waits until its job can be polled.
    pub(crate) async fn run(&self) -> String {
        let execution = self.world.start("p").await;
        self.until_begun(&execution).await;
        execution
    }

    async fn until_begun(&self, execution: &str) {
        support::until(async || {
            let state = self.world.state("p").await;
            let mut stages = state.stage_states().iter().filter(|stage| stage.stage_name() == Some("Build"));
            stages
                .any(|stage| stage.latest_execution().is_some_and(|latest| latest.pipeline_execution_id() == execution))
        })
        .await;
    }

    /// The worker's environment, with the emulator's endpoint at `endpoint`.
    pub(crate) fn environment(&self, endpoint: &str) -> Vec<(String, String)> {
        let mut shell = shell("Build", "Shell");
        shell["timeoutSeconds"] = json!(20);
        let variables = [
            ("ACTIONS", json!([shell]).to_string()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("LEDGER_BUCKET", LEDGER.into()),
            ("STAGING_TIMEOUT", "10".into()),
            // Some of these disks have 1 MiB.
            ("MIN_FREE_BYTES", "0".into()),
            ("FUNCTION_TIMEOUT", TIMEOUT.as_secs().to_string()),
            ("WORK_FOLDER", self.work_folder().to_str().unwrap().to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    pub(crate) fn work_folder(&self) -> PathBuf {
        self.world.work_folder()
    }

    /// The folder for files that the command leaves.
    pub(crate) fn effects(&self) -> &Path {
        self.effects.path()
    }

    /// The real binary, as the last argument of the command line `before`.
    pub(crate) fn function(&self, before: &[&str]) -> Function {
        self.function_within(TIMEOUT, before, Vec::new())
    }

    /// A function whose timeout just fits a job. A job needs 19 s: 1 s for the command, 7 s to end it, 1 s to stage and
    /// 10 s to report.
    pub(crate) fn hasty_function(&self, timeout: Duration) -> Function {
        let mut shell = shell("Build", "Shell");
        shell["timeoutSeconds"] = json!(1);
        let variables = [
            ("ACTIONS", json!([shell]).to_string()),
            ("STAGING_TIMEOUT", "1".into()),
            ("FUNCTION_TIMEOUT", timeout.as_secs().to_string()),
        ];
        self.function_within(timeout, &[], variables.map(|(name, value)| (name.to_owned(), value)).into())
    }

    fn function_within(&self, timeout: Duration, before: &[&str], other: Vec<(String, String)>) -> Function {
        let (sender, mut lines) = unbounded_channel();
        let kept = Arc::clone(&self.lines);
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                kept.lock().unwrap().push(line);
            }
        });
        let binary = env!("CARGO_BIN_EXE_codepipeline-worker");
        let function = Function::new(FunctionSettings {
            name: "worker".into(),
            command: before.iter().copied().chain([binary]).map(str::to_owned).collect(),
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            env: self.environment(&self.world.emulator.endpoint()).into_iter().chain(other).collect(),
            timeout,
            memory_mb: 512,
            output: Output::Lines(sender),
        });
        function.unwrap()
    }

    /// Runs one scheduled invocation.
    pub(crate) async fn tick(&self, function: &Function) -> Invocation {
        function.invoke(&schedule()).await.unwrap()
    }

    /// Runs one scheduled invocation. Returns the count `what` of its summary.
    pub(crate) async fn ticked(&self, function: &Function, what: &str) -> u64 {
        match self.tick(function).await {
            Invocation::Answered(summary) => summary[what].as_u64().unwrap(),
            end => panic!("{end:?}\n{}", self.log()),
        }
    }

    /// Runs an invocation after a dead worker's lease has ended, which finds and reports the job.
    pub(crate) async fn successor_reports_a_death(&self) {
        self.time.advance(TIMEOUT + Duration::from_secs(11));
        let function = self.function(&[]);
        assert_eq!(self.ticked(&function, "adopted").await, 1, "{}", self.log());
        function.stop().await;
        let said = self.said().await;
        assert!(said.contains("the worker died while it ran the action"), "{said}\n{}", self.log());
        self.is_over_with(1).await;
    }

    /// Checks that so many results were sent and that the ledger holds only marks.
    pub(crate) async fn is_over_with(&self, results: usize) {
        let calls = |operation| self.world.emulator.calls(operation);
        assert_eq!(calls("PutJobSuccessResult") + calls("PutJobFailureResult"), results, "{}", self.log());
        let listed = Ledger::new(&self.world.sdk_config, LEDGER.into()).list().await.unwrap();
        assert!(listed.iter().all(Listed::is_done), "{}", self.log());
    }

    /// The action's error message, or else its summary.
    pub(crate) async fn said(&self) -> String {
        let execution = self.world.action("p", "A").await.unwrap();
        let error = execution.error_details().and_then(|error| error.message());
        error.or(execution.summary()).unwrap_or_default().to_owned()
    }

    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

pub(crate) fn schedule() -> Value {
    serde_json::from_str(include_str!("../../../events/schedule.json")).unwrap()
}

/// Bytes that don't compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}
