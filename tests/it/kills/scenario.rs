//! A world with every kind of job, and processes of the real binary that run them.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codepipeline_local::api::read_connections;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::engine::{Leniency, Settings};
use codepipeline_local::runtime_api::{Function, FunctionSettings, Output};
use codepipeline_local::types::Timestamp;
use codepipeline_local::{JobInvocation, Options};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::service::{KEY, Service};
use super::step::Step;
use super::wire::{SharedLog, Wire};
use crate::support::aws_json::AwsJson;
use crate::support::{World, action, custom, input, output, zip};

pub(crate) const LEDGER: &str = "the-ledger";

/// The function's timeout. Leases are 10 s longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT_TOKEN: &str = "the client's token";

/// The kinds of actions: their names, and whether their work may be repeated.
pub(crate) const KINDS: [(&str, bool); 5] =
    [("Careful", false), ("Again", true), ("Service", true), ("Partner", false), ("Invoked", false)];

/// One more kind, whose service answers only when it is told to.
pub(crate) const SLOW: &str = "Slow";

/// The actions, the services and the recorded effects of one world.
pub(crate) struct Scenario {
    pub(crate) world: World,
    pub(crate) time: ManualClock,
    pub(crate) log: SharedLog,
    /// The log lines of all workers, in order of arrival.
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    /// The configured ids of the started actions, each with its pipeline and the pipeline's execution.
    pub(crate) actions: Vec<(String, String, String)>,
    pub(crate) deliveries: VecDeque<Delivery>,
    jobs: UnboundedReceiver<JobInvocation>,
    pub(crate) service: Service,
    secrets: AwsJson,
    /// Outside the work folder.
    effects: tempfile::TempDir,
}

/// A job's event on its way to the function.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) event: Value,
    pub(crate) tries: u32,
}

/// One process of the function. It starts with its first invocation.
pub(crate) struct Worker {
    pub(crate) function: Function,
    pub(crate) wire: Wire,
}

impl Scenario {
    /// The undocumented behaviours of CodePipeline differ from world to world. How it offers a job again decides most
    /// about which workers meet. Four worlds in a row each do it differently.
    pub(crate) async fn start((number, rng): (usize, &mut Rng)) -> Self {
        let mut leniency = || if rng.bool() { Leniency::Accept } else { Leniency::Refuse };
        let engine = Settings {
            second_acknowledge: leniency(),
            acknowledge_finished: leniency(),
            details_before_acknowledge: leniency(),
            put_before_acknowledge: leniency(),
            keep_nonce_on_reoffer: number.is_multiple_of(2),
            reoffer_after: Some(if number & 2 == 0 { Duration::ZERO } else { Duration::from_secs(30) }),
            // A success without its artifact is an error.
            missing_output: Leniency::Refuse,
            // Each death takes as long as a lease, and the number of deaths is unlimited.
            invoke_timeout: Duration::from_secs(24 * 60 * 60),
            ..Settings::default()
        };
        println!(
            "the service: offers again after {:?} with {} nonce, takes second acknowledgements: {:?}, late ones: {:?}",
            engine.reoffer_after.unwrap(),
            if engine.keep_nonce_on_reoffer { "the same" } else { "another" },
            engine.second_acknowledge,
            engine.acknowledge_finished,
        );
        let partner = json!({
            "category": "Test", "provider": "Partner", "version": "1",
            "configurationProperties": [{"name": "Id", "required": true, "key": true, "secret": false}]
        });
        let connection = json!([{"clientId": CLIENT_ID, "clientToken": CLIENT_TOKEN, "actionType": partner}]);
        let connections = read_connections(&connection.to_string()).unwrap();
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let world =
            World::with(Options { clock: time.clock(), engine, connections: Some(connections), ..Options::default() })
                .await;
        world.start_processes();
        world.s3.create_bucket().bucket(LEDGER).send().await.unwrap();
        for (category, provider) in [("Test", "Careful"), ("Build", "Again"), ("Deploy", "Service"), ("Deploy", SLOW)] {
            world.create_type(category, provider, &["Id"]).await;
        }
        let effects = tempfile::tempdir().unwrap();
        Self {
            jobs: world.emulator.job_invocations(),
            service: Service::start(effects.path().join("runs")).await,
            secrets: AwsJson::start(|_, _| Ok(json!({"SecretString": CLIENT_TOKEN}))).await,
            world,
            time,
            log: SharedLog::default(),
            lines: Arc::default(),
            actions: Vec::new(),
            deliveries: VecDeque::new(),
            effects,
        }
    }

    /// Starts a pipeline with two actions of random kinds side by side.
    pub(crate) async fn begin_pipeline(&mut self, rng: &mut Rng) {
        let kinds = ["A", "B"].map(|name| (name, KINDS[rng.usize(..KINDS.len())].0));
        self.begin(&kinds).await;
    }

    /// Starts a pipeline with one slow action, and returns the action's id.
    pub(crate) async fn begin_slow_pipeline(&mut self) -> String {
        self.begin(&[("A", SLOW)]).await;
        self.actions.last().unwrap().0.clone()
    }

    async fn begin(&mut self, kinds: &[(&str, &str)]) {
        let pipeline = format!("p{}", self.actions.len());
        let mut actions = Vec::new();
        let mut ids = Vec::new();
        for &(name, kind) in kinds {
            let id = format!("{pipeline}-{name}-{kind}");
            let action = match kind {
                "Careful" => custom(name, "Test", kind),
                "Again" => custom(name, "Build", kind).output_artifacts(output(&format!("Out{name}"))),
                "Service" | SLOW => custom(name, "Deploy", kind),
                "Partner" => action(name, "Test", "ThirdParty", kind).input_artifacts(input("Source")),
                _ => action(name, "Invoke", "AWS", "Lambda")
                    .input_artifacts(input("Source"))
                    .configuration("FunctionName", "worker")
                    .configuration("UserParameters", json!({"Id": id}).to_string()),
            };
            actions.push(if kind == "Invoked" { action } else { action.configuration("Id", &id) });
            ids.push(id);
        }
        self.world.create_pipeline(&pipeline, vec![("Work", actions)]).await;
        if self.actions.is_empty() {
            self.world.put_source(zip(&[("a", "b")])).await;
        }
        let execution = self.world.start(&pipeline).await;
        self.world.until_begun(&pipeline, "A").await;
        self.actions.extend(ids.into_iter().map(|id| (id, pipeline.clone(), execution.clone())));
    }

    /// Takes the events of invoked jobs, some of them twice.
    pub(crate) fn take_deliveries(&mut self, rng: &mut Rng) {
        while let Ok(JobInvocation { event, .. }) = self.jobs.try_recv() {
            self.log.lock().note_job(&event["CodePipeline.job"]);
            let delivery = Delivery { event, tries: 0 };
            if rng.u8(..3) == 0 {
                self.deliveries.push_back(delivery.clone());
            }
            self.deliveries.push_back(delivery);
        }
    }

    /// Whether the job of this event has ever been in the ledger.
    pub(crate) fn was_held(&self, event: &Value) -> bool {
        let job = event["CodePipeline.job"]["id"].as_str();
        let log = self.log.lock();
        log.records.iter().any(|record| record.job.as_deref() == job && record.step == Step::Hold)
    }

    /// A worker that serves all types.
    pub(crate) async fn worker(&self) -> Worker {
        self.worker_with(&self.configured()).await
    }

    /// A worker that serves only slow actions.
    pub(crate) async fn patient_worker(&self) -> Worker {
        self.worker_with(&json!([self.slow()])).await
    }

    async fn worker_with(&self, actions: &Value) -> Worker {
        let wire = Wire::start(&self.world.emulator.endpoint(), &self.log).await;
        let (sender, mut lines) = unbounded_channel();
        let kept = Arc::clone(&self.lines);
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                kept.lock().unwrap().push(line);
            }
        });
        let settings = FunctionSettings {
            name: "worker".into(),
            command: vec![env!("CARGO_BIN_EXE_codepipeline-worker").into()],
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            env: self.environment(wire.endpoint(), actions),
            timeout: TIMEOUT,
            memory_mb: 512,
            output: Output::Lines(sender),
        };
        Worker { function: Function::with_concurrency(settings, NonZeroU16::MIN).unwrap(), wire }
    }

    fn environment(&self, endpoint: &str, actions: &Value) -> BTreeMap<String, String> {
        let variables = [
            ("ACTIONS", actions.to_string()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets.endpoint().to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("CLIENT_TOKENS_SECRET", "clients/".into()),
            ("LEDGER_BUCKET", LEDGER.into()),
            ("FUNCTION_TIMEOUT", TIMEOUT.as_secs().to_string()),
            ("STAGING_TIMEOUT", "10".into()),
            ("WEBHOOK_KEY", KEY.into()),
            ("WORK_FOLDER", self.world.work_folder().to_str().unwrap().to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Two runs at the same time would find each other's lock. It ends with its holder.
    fn configured(&self) -> Value {
        let effects = self.effects.path().display();
        let script = format!(
            r#"cd {effects}
exec 9>> "lock-$CONFIG_ID"
flock -n 9 || echo "together $CONFIG_ID" >> runs
echo "begun $CONFIG_ID" >> runs
sleep 0.03
if [ -n "${{OUTPUT_OUTA-}}${{OUTPUT_OUTB-}}" ]; then echo "$CONFIG_ID" > "${{OUTPUT_OUTA-$OUTPUT_OUTB}}/id"; fi
echo "ended $CONFIG_ID" >> runs"#
        );
        let command = |category: &str, owner: &str, provider: &str, on_crash: &str| {
            json!({
                "actionType": {"category": category, "owner": owner, "provider": provider, "version": "1"},
                "timeoutSeconds": 20,
                "onCrash": on_crash,
                "run": {"command": ["sh", "-eu", "-c", script]}
            })
        };
        let mut careful = command("Test", "Custom", "Careful", "fail");
        // The default of commands.
        careful.as_object_mut().unwrap().remove("onCrash");
        json!([
            careful,
            command("Build", "Custom", "Again", "run"),
            command("Test", "ThirdParty", "Partner", "fail"),
            command("Invoke", "AWS", "Lambda", "fail"),
            self.http("Service", "run"),
            self.slow()
        ])
    }

    fn slow(&self) -> Value {
        self.http(SLOW, "fail")
    }

    fn http(&self, provider: &str, on_crash: &str) -> Value {
        let run = json!({"url": self.service.url, "secretVariable": "WEBHOOK_KEY", "requestTimeoutSeconds": 100});
        json!({
            "actionType": {"category": "Deploy", "owner": "Custom", "provider": provider, "version": "1"},
            "timeoutSeconds": 3600,
            "onCrash": on_crash,
            "run": {"http": run}
        })
    }

    /// The lines that actions wrote: `begun <id>`, `ended <id>`, `together <id>`. Those of an `http` action end with
    /// the job's id.
    pub(crate) fn runs(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.effects.path().join("runs")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How many actions of `jobs` have begun.
    pub(crate) fn begun(&self, jobs: &[String]) -> usize {
        let ids: Vec<_> = {
            let log = self.log.lock();
            jobs.iter().filter_map(|job| log.jobs.get(job).map(|id| format!("begun {id}"))).collect()
        };
        let is_of = |line: &&String| ids.iter().any(|id| *line == id || line.starts_with(&format!("{id} ")));
        self.runs().iter().filter(is_of).count()
    }

    /// The living processes of commands. Only they work in the folder of effects.
    pub(crate) fn living_commands(&self) -> Vec<PathBuf> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let is_there = |process: &PathBuf| {
            std::fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == self.effects.path())
        };
        processes.filter(is_there).collect()
    }
}

/// Like `echo … >> file`: one write.
pub(crate) fn append(file: &Path, line: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
