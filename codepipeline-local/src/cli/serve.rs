//! `serve`: the emulator, and perhaps a function beside it, until it is interrupted.

use std::io::Write;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::function::FunctionFlags;
use super::logging;
use super::settings::SettingFlags;
use crate::api::read_connections;
use crate::clock::Clock;
use crate::durations::parse;
use crate::endpoints::{Endpoint, Endpoints};
use crate::engine::Connection;
use crate::faults::{Fault, Faults, Throttle};
use crate::ids::random_seed;
use crate::options::Options;
use crate::s3::S3Pace;
use crate::server::Emulator;

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
    /// Sends the requests for another service elsewhere: SERVICE=URL, as in stepfunctions=http://127.0.0.1:5000. SERVICE is its name
    /// in the AWS CLI or in signatures; the URL begins with http://. May be given again
    #[arg(long = "endpoint", value_name = "SERVICE=URL")]
    endpoints: Vec<String>,
    /// Has calls go wrong: OPERATION:CALLS:KIND, as in PutJobSuccessResult:1:lose-answer. OPERATION is a name as in the APIs, or
    /// codepipeline:*, s3:* or *. CALLS are 3, 3+ (the third and all later), 2-4, */10 (every tenth) or *. KIND is throttle, error
    /// (500), deny (AccessDenied), reset, lose-answer (reset after it took effect), stall (no answer), stall-answer (none, but it took effect),
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
    /// Logs each request with its outcome
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    function: FunctionFlags,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), String> {
        logging::start(self.verbose);
        // Listened for before anything is started that they would have to end.
        let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let settings = self.settings.settings();
        let function = self.function.ready(&settings.account_id, &settings.region)?;
        let seed = self.seed.unwrap_or_else(random_seed);
        let connections = self.connections.as_deref().map(connections).transpose()?;
        let endpoints = endpoints(&self.endpoints)?;
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
            endpoints,
            faults,
            seed,
            clock,
        };
        let mut emulator = Emulator::start_waiting(options).await.map_err(|error| error.to_string())?;
        announce(&emulator.endpoint()).map_err(|error| format!("can't write to standard output: {error}"))?;

        let function =
            function.map(|function| function.start(&emulator)).transpose().map_err(|error| error.to_string())?;
        // The function hears of everything that happens at the start.
        emulator.begin();

        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| error.to_string())?,
            _ = terminated.recv() => {}
        }
        if let Some(function) = function {
            function.stop().await;
        }
        emulator.stop().await;
        Ok(())
    }
}

fn connections(file: &Path) -> Result<Vec<Connection>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
    text.and_then(|text| read_connections(&text)).map_err(|why| format!("{}: {why}", file.display()))
}

/// Not clap's to parse: its errors repeat the value, and a URL may hold a password.
fn endpoints(given: &[String]) -> Result<Endpoints, String> {
    let parsed = given.iter().map(|text| text.parse::<Endpoint>());
    parsed.collect::<Result<_, _>>().map_err(|error| format!("--endpoint: {error}"))
}

fn announce(endpoint: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "listening on {endpoint}")?;
    out.flush()
}
