//! `serve` runs the emulator, with the functions and workers that are given, until a signal ends it.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::address::address;
use super::environment::environment;
use super::function::FunctionFlags;
use super::providers::{ProviderFlags, add_services, add_shells};
use super::settings::SettingFlags;
use super::shown::noted;
use super::signals::Signals;
use super::standard_output::StandardOutput;
use super::worker::{WorkerFlags, Workers, killed};
use super::{logging, numbers};
use crate::api::read_connections;
use crate::clock::Clock;
use crate::durations::parse;
use crate::endpoints::{Endpoint, Endpoints};
use crate::engine::Connection;
use crate::faults::{Fault, Faults, Throttle};
use crate::ids::random_seed;
use crate::options::Options;
use crate::page::PageMode;
use crate::providers::{DeployS3, Output, Providers};
use crate::s3::S3Pace;
use crate::server::Emulator;

/// The end of `serve --help`.
const EXAMPLES: &str = "\
Examples:
  Serve on port 4566, and keep everything in a folder:
    codepipeline-local serve --data local
  Serve on a free port, whose address is the first line of the output, with a worker that polls:
    codepipeline-local serve --port 0 --worker 'python3 worker.py'
  Invoke a function every 10 s and at events, as EventBridge and Lambda do:
    codepipeline-local serve --schedule 10s --function target/debug/codepipeline-worker
  Let builds run on this machine, and a command stand in for a provider that does not run here:
    codepipeline-local serve --run-commands --provider 'Deploy/AWS/ECS/1=sh deploy.sh'
  Lose the answer of the first PutJobSuccessResult:
    codepipeline-local serve --fault PutJobSuccessResult:1:lose-answer";

/// Serve CodePipeline and S3 on one loopback port
///
/// As on AWS, a pipeline starts when it is created and when its S3 source changes.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// The address to listen on. Only a loopback address keeps other machines away. At any other, every machine that reaches it can use
    /// the emulator, and read its objects
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 picks a free one
    #[arg(long, value_parser = numbers::up_to_65535, default_value_t = 4566)]
    port: u16,
    /// Folder that keeps S3's objects and CodePipeline's state. Without it, both end with the emulator. A restart stops executions
    /// in progress
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// File with third-party connections: a JSON list of {"clientId": UUID, "clientToken": TEXT, "actionType": {...}, "pipelines":
    /// [NAME, ...]}. The action type has "category", "provider" and "version", and may have other members of
    /// create-custom-action-type. Pipelines may then use the type with the owner ThirdParty. A connection without "pipelines" serves
    /// the pipelines that no other connection names. With --data, later runs keep the connections until they get another list
    #[arg(long, value_name = "FILE")]
    connections: Option<PathBuf>,
    /// How long S3 waits before it answers a request that a job's credentials sign
    #[arg(long, value_name = "DURATION", value_parser = parse, default_value = "0s")]
    s3_delay: Duration,
    /// How many bytes per second S3 reads or sends for each request that a job's credentials sign [default: no limit]
    #[arg(long, value_name = "NUMBER", value_parser = numbers::some)]
    s3_bytes_per_second: Option<NonZeroU64>,
    /// Accept uploads without SSE-KMS into artifact stores, also from jobs [default: AccessDenied, as an artifact bucket's policy
    /// says]
    #[arg(long)]
    accept_unencrypted_uploads: bool,
    /// Forward the requests for another service, as in stepfunctions=http://127.0.0.1:5000. SERVICE is the name in the AWS CLI or in
    /// signatures. The URL begins with http://. Repeatable
    #[arg(long = "endpoint", value_name = "SERVICE=URL")]
    endpoints: Vec<String>,
    /// Make calls fail: OPERATION:CALLS:KIND, as in PutJobSuccessResult:1:lose-answer. OPERATION is a name from the APIs,
    /// codepipeline:*, s3:* or *. CALLS is 3, 3+ (the third and all later ones), 2-4, */10 (every tenth) or *. KIND is throttle,
    /// error (status 500), deny (AccessDenied), reset, lose-answer, stall, stall-answer, delay=DURATION, delay-answer=DURATION or
    /// cut=BYTES. With stall and reset, the call has no effect. With a kind that names the answer, the call takes effect and its
    /// answer is lost or late. cut is for GetObject, PutObject and UploadPart. Repeatable
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Throttle calls beyond a rate: OPERATION:RATE or OPERATION:RATE:BURST, as in PollForJobs:2. RATE is calls per second for each
    /// operation. BURST is one second's worth unless given. Repeatable
    #[arg(long = "throttle", value_name = "THROTTLE")]
    throttles: Vec<Throttle>,
    /// Make ids, nonces and credentials the same in every run that gets the same requests. In a --data folder of an earlier run, that
    /// run's series continues instead
    #[arg(long, value_name = "NUMBER", value_parser = numbers::whole)]
    seed: Option<u64>,
    /// Log each request with its outcome; `-v` for short
    #[arg(short, long)]
    verbose: bool,
    /// Run the commands of CodeBuild and Commands actions in a shell of this machine: those of any pipeline that a client of the emulator
    /// creates. A build has the buildspec.yml of its source
    #[arg(long, help_heading = "AWS's own actions, and workers")]
    run_commands: bool,
    #[command(flatten)]
    providers: ProviderFlags,
    #[command(flatten)]
    workers: WorkerFlags,
    #[command(flatten)]
    function: FunctionFlags,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), String> {
        logging::start(self.verbose);
        // Listen for signals before anything starts that a signal must end.
        let mut signals = Signals::listen().map_err(|error| error.to_string())?;
        let settings = self.settings.settings();
        let function = self.function.ready(&settings.account_id, &settings.region)?;
        self.workers.check()?;
        let seed = self.seed.unwrap_or_else(random_seed);
        let connections = self.connections.as_deref().map(connections).transpose()?;
        let endpoints = endpoints(&self.endpoints)?;
        let clock = Clock::machine();
        // A pipeline of any client may run commands here, also by a worker or a function.
        let local_hosts_only = self.run_commands
            || self.providers.run_commands()
            || !self.workers.workers.is_empty()
            || function.is_some();
        let mut providers = Providers::default();
        add_services(&mut providers, DeployS3::new(clock.clone()), &endpoints, &clock);
        if self.run_commands {
            add_shells(&mut providers, BTreeMap::new(), &clock);
        }
        self.providers.add_to(&mut providers)?;
        let output = StandardOutput::start().map_err(|error| error.to_string())?;
        let write = output.lines();
        providers.output(Output::new(move |line| write(&line.to_string())));
        let s3 = S3Pace { delay: self.s3_delay, bytes_per_second: self.s3_bytes_per_second };
        let faults = Faults::default();
        self.faults.into_iter().for_each(|fault| faults.add(fault));
        self.throttles.into_iter().for_each(|throttle| faults.throttle(throttle));
        let options = Options {
            host: self.host,
            port: self.port,
            data: self.data,
            engine: settings,
            providers,
            connections,
            s3,
            accept_unencrypted_uploads: self.accept_unencrypted_uploads,
            endpoints,
            faults,
            page: PageMode::Serve,
            keys: None,
            local_hosts_only,
            seed,
            clock,
        };
        let mut emulator = Emulator::start_waiting(options).await.map_err(|error| error.to_string())?;
        if !self.host.is_loopback() {
            tracing::warn!(host = %self.host, "other machines can use this emulator; only a loopback address keeps them away");
        }
        announce(&emulator).map_err(|error| format!("could not write to standard output: {error}"))?;

        let write = output.lines();
        let show = noted(&emulator, move |_name, line| write(line));
        let function = function.map(|function| function.start(&emulator, &show)).transpose();
        let function = function.map_err(|error| error.to_string())?;
        // Begin now, so that the function gets every event of the start.
        emulator.begin();
        let environment = environment(&emulator, BTreeMap::new());
        let mut workers = Workers::start(&self.workers.workers, &environment, &show)?;
        loop {
            tokio::select! {
                _ = signals.next() => break,
                ended = workers.ended() => {
                    tracing::error!("{ended}, so it polls for jobs no longer; its output says why");
                }
            }
        }
        // Otherwise the pipelines would run on while workers and functions take their time.
        emulator.halt();
        let stop = async {
            let functions = async {
                if let Some(function) = function {
                    function.stop().await;
                }
            };
            tokio::join!(workers.stop(), functions).0
        };
        // A second signal drops the rest of the wait, which kills what still runs.
        tokio::select! {
            late = stop => {
                late.iter().for_each(|name| tracing::warn!("{}", killed(name)));
            }
            _ = signals.next() => {}
        }
        emulator.stop().await;
        Ok(())
    }
}

fn connections(file: &Path) -> Result<Vec<Connection>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
    text.and_then(|text| read_connections(&text)).map_err(|why| format!("--connections {}: {why}", file.display()))
}

/// Parsed here and not by clap: clap's errors repeat the value, and a URL may hold a password.
pub(super) fn endpoints(given: &[String]) -> Result<Endpoints, String> {
    let parsed = given.iter().map(|text| text.parse::<Endpoint>());
    parsed.collect::<Result<_, _>>().map_err(|error| format!("--endpoint: {error}"))
}

fn announce(emulator: &Emulator) -> std::io::Result<()> {
    let page = emulator.page_address().map(|page| format!("page: {page}\n")).unwrap_or_default();
    // One write, because a program that starts the emulator may read only the first line, and close the pipe.
    let text = format!("listening on {}\n{page}", emulator.endpoint());
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}
