//! `serve`: the emulator, and perhaps a function beside it, until it is interrupted.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::settings::SettingFlags;
use crate::api::read_connections;
use crate::clock::Clock;
use crate::durations::parse;
use crate::engine::Connection;
use crate::event_pattern::EventPattern;
use crate::faults::{Fault, Faults, Throttle};
use crate::ids::random_seed;
use crate::runtime_api::{Function, FunctionSettings, Invocation, Output, Schedule, Waking};
use crate::s3::S3Pace;
use crate::server::{Emulator, Options};

/// Serve CodePipeline and S3 on a loopback port
///
/// As on AWS, a pipeline starts when it is created and when its S3 source changes.
#[derive(Args)]
pub(super) struct Serve {
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Keeps S3's objects and CodePipeline's state; without it they end with the emulator. Executions in progress are stopped at
    /// a restart
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The third-party connections: a JSON list of {"clientId": UUID, "clientToken": TEXT, "actionType": {"category",
    /// "provider", "version", and what else create-custom-action-type takes}, "pipelines": [NAME, ...]}. Pipelines may then use
    /// the owner ThirdParty with these types. Without "pipelines", a connection is for all that no other one names. With --data,
    /// later runs keep them unless they are given others
    #[arg(long, value_name = "FILE")]
    connections: Option<PathBuf>,
    /// How long S3's answers to requests with a job's credentials take to begin
    #[arg(long, value_name = "DURATION", value_parser = parse, default_value = "0s")]
    s3_delay: Duration,
    /// How many bytes per second S3 takes from or gives to each request with a job's credentials [default: no limit]
    #[arg(long, value_name = "NUMBER")]
    s3_bytes_per_second: Option<NonZeroU64>,
    /// Admits uploads without SSE-KMS into artifact stores, from jobs too [default: AccessDenied, as the policy of an artifact
    /// bucket has it]
    #[arg(long)]
    accept_unencrypted_uploads: bool,
    /// Has calls go wrong: OPERATION:CALLS:KIND, as in PutJobSuccessResult:1:lose-answer. OPERATION is a name as in the APIs, or
    /// codepipeline:*, s3:* or *. CALLS are 3, 3+ (the third and all later), 2-4, */10 (every tenth) or *. KIND is throttle, error
    /// (500), reset, lose-answer (reset after it took effect), stall (no answer), stall-answer (none, but it took effect),
    /// delay=DURATION (late), delay-answer=DURATION (its answer is late), or, for GetObject, PutObject and UploadPart,
    /// cut=BYTES. May be given again
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Refuses calls beyond a rate as throttled: OPERATION:RATE or OPERATION:RATE:BURST, as in PollForJobs:2, in calls per second
    /// for each operation; the burst is a second's worth if it is not given. May be given again
    #[arg(long = "throttle", value_name = "THROTTLE")]
    throttles: Vec<Throttle>,
    /// Makes ids, nonces and credentials the same in every run that is asked the same. In a --data folder that an earlier run used,
    /// its series continues instead
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// A Lambda bootstrap to run beside it, with its arguments: words are split at spaces. It is woken on a schedule, by events
    /// of actions, and with the jobs of Lambda Invoke actions, whatever function they name
    #[arg(long, value_name = "COMMAND", value_parser = words)]
    function: Option<Words>,
    /// How often the function is woken
    #[arg(long, value_name = "DURATION", value_parser = parse, default_value = "60s", requires = "function")]
    schedule: Duration,
    /// How long an invocation of the function may take
    #[arg(long, value_name = "DURATION", value_parser = parse, default_value = "900s", requires = "function")]
    timeout: Duration,
    /// How many invocations of the function there are at a time, each in a process of its own; more wait for their turn
    #[arg(long, value_name = "NUMBER", default_value = "10", requires = "function")]
    max_concurrency: NonZeroU16,
    /// Which of CodePipeline's events wake the function, as the pattern of an EventBridge rule in JSON [default: STARTED, FAILED,
    /// ABANDONED and CANCELED of custom and third-party actions]
    #[arg(long, value_name = "PATTERN", value_parser = EventPattern::parse, requires = "function")]
    event_pattern: Option<EventPattern>,
    /// A variable of the function's environment; may be given again
    #[arg(long, value_name = "NAME=VALUE", requires = "function")]
    env: Vec<String>,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), String> {
        // Listened for before anything is started that they would have to end.
        let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let env: Vec<_> = self.env.iter().map(|text| variable(text)).collect::<Result<_, _>>()?;
        let settings = self.settings.settings();
        let (account_id, region) = (settings.account_id.clone(), settings.region.clone());
        let seed = self.seed.unwrap_or_else(random_seed);
        let connections = self.connections.as_deref().map(connections).transpose()?;
        let clock = Clock::machine();
        let s3 = S3Pace { delay: self.s3_delay, bytes_per_second: self.s3_bytes_per_second };
        let faults = Faults::default();
        self.faults.into_iter().for_each(|fault| faults.add(fault));
        self.throttles.into_iter().for_each(|throttle| faults.throttle(throttle));
        let options = Options {
            port: self.port,
            data: self.data,
            engine: settings,
            connections,
            s3,
            accept_unencrypted_uploads: self.accept_unencrypted_uploads,
            faults,
            seed,
            clock,
        };
        let emulator = Emulator::start(options).await.map_err(|error| error.to_string())?;
        announce(&emulator.endpoint()).map_err(|error| format!("can't write to standard output: {error}"))?;

        let function = self.function.map(|command| {
            let env = environment(&emulator.endpoint(), &region, env);
            let settings = FunctionSettings {
                name: "function".to_owned(),
                command: command.0,
                account_id,
                region,
                env,
                timeout: self.timeout,
                memory_mb: 1024,
                output: Output::Inherit,
            };
            Function::with_concurrency(settings, self.max_concurrency)
        });
        let function = function.transpose().map_err(|error| error.to_string())?;
        let pattern = self.event_pattern.unwrap_or_else(EventPattern::action_events);
        let waking = function.clone().map(|function| Waking::start(&emulator, function, pattern, report));
        let schedule = function.clone().map(|function| Schedule::start(function, self.schedule, report));

        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| error.to_string())?,
            _ = terminated.recv() => {}
        }
        drop((schedule, waking));
        if let Some(function) = function {
            function.stop().await;
        }
        emulator.stop().await;
        Ok(())
    }
}

/// What a function needs to find the emulator and to sign its requests. What the user gives wins.
fn environment(endpoint: &str, region: &str, given: Vec<(String, String)>) -> BTreeMap<String, String> {
    let needed = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    needed.into_iter().chain(given).collect()
}

fn connections(file: &Path) -> Result<Vec<Connection>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
    text.and_then(|text| read_connections(&text)).map_err(|why| format!("{}: {why}", file.display()))
}

fn announce(endpoint: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "listening on {endpoint}")?;
    out.flush()
}

fn report(end: std::io::Result<Invocation>) {
    match end {
        Ok(Invocation::Answered(answer)) => tracing::info!("the function answered {answer}"),
        Ok(Invocation::Failed { error_type, message }) => {
            tracing::warn!("the function failed: {error_type}: {message}");
        }
        Ok(Invocation::TimedOut) => tracing::warn!("the function was killed at its timeout"),
        Ok(Invocation::Exited { status }) => tracing::warn!("the function's process ended without an answer: {status}"),
        Err(error) => tracing::error!("{error}"),
    }
}

/// A command's words.
#[derive(Clone)]
struct Words(Vec<String>);

fn words(text: &str) -> Result<Words, String> {
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { Err("the command is empty".to_owned()) } else { Ok(Words(words)) }
}

/// Not clap's to parse: its errors repeat what was given, and the value may be a secret.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("an --env has no name or no value: write --env NAME=VALUE".to_owned()),
    }
}
