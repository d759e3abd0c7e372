//! From the process's start to a running Lambda function: config, logging, clients, run.

mod function;
pub mod testing;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::actions::{LONGEST_RUN, Served, command};
use crate::artifacts::{Stores, UnpackLimits};
use crate::config::{ActionConfig, Config, ConfigError, Environment};
use crate::connections::Connections;
use crate::ledger::Ledger;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::settings::third_party_left_out;
use crate::watchdog::Watchdog;
use crate::worker::Worker;
use crate::workspace::WorkerFolder;
use crate::{config, telemetry};
use function::{Function, handle, null_for_nothing};

/// What Lambda sets for every function ("Defined runtime environment variables", Lambda's developer guide), and `lambda_runtime`
/// panics without.
const FROM_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// Runs the worker as a Lambda function, configured by the process's environment, until Lambda ends the process.
///
/// Returns a failure only if the worker can't start. One log line then lists every mistake in the configuration.
pub async fn run() -> ExitCode {
    let environment = environment();
    ended(start(Config::from_variables(&environment), &environment, Vec::new()).await)
}

/// Runs the worker with action types of your own, in addition to those that `ACTIONS` configures. `ACTIONS` may be missing.
///
/// # Examples
/// ```no_run
/// use std::process::ExitCode;
/// use std::time::Duration;
///
/// use codepipeline_worker::actions::Served;
/// use codepipeline_worker::job::ActionTypeId;
/// # use codepipeline_worker::actions::{Action, Turn};
/// # use codepipeline_worker::job::{Failure, Outcome};
/// # struct Rollout;
/// # impl Action for Rollout {
/// #     async fn start(&self, _: Turn) -> Result<Outcome, Failure> { std::future::pending().await }
/// # }
///
/// #[tokio::main]
/// async fn main() -> ExitCode {
///     let [category, owner, provider, version] = ["Deploy", "Custom", "Rollout", "1"].map(str::to_owned);
///     let action_type = ActionTypeId { category, owner, provider, version };
///     codepipeline_worker::run_with(vec![Served::new(action_type, Duration::from_secs(30), Rollout)]).await
/// }
/// ```
///
/// An action may need an AWS client of its own. Load its configuration with the `aws-config` crate before this call;
/// [`SdkConfig`] is the type that it returns.
pub async fn run_with(own: Vec<Served>) -> ExitCode {
    let environment = environment();
    ended(start(Config::beside_own_actions(&environment), &environment, own).await)
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("could not start the worker: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: Result<Config, ConfigError>, environment: &Environment, own: Vec<Served>) -> Result<(), String> {
    telemetry::install(config.as_ref().map_or(tracing::Level::INFO, |config| config.log_level));
    let config = config.map_err(|error| error.to_string())?;
    from_lambda(environment)?;
    own_types_are_built(&own)?;
    if config.ledger_bucket.is_none() {
        tracing::warn!(
            "LEDGER_BUCKET is not set: after a worker death a job stays InProgress until its action times out, which takes up to 24 hours"
        );
    }

    command::harden_process().map_err(|error| format!("the process could not be shielded from commands: {error}"))?;
    let (config, _work_folder) = take_work_folder(config)?;
    let connections = Connections::new();
    let sdk_config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(connections.clone()).load().await;
    let function_timeout = config.settings.function_timeout;
    let awaited = own.is_empty().then(|| awaited(&config));
    let namespace = config.metrics_namespace.as_deref();
    let metrics = namespace.map_or_else(Metrics::off, |namespace| Metrics::new(namespace, now, telemetry::log_metrics));
    let worker = Arc::new(worker(config, own, &sdk_config).metrics(metrics));
    let watchdog =
        last_words().and_then(Watchdog::start).map_err(|error| format!("could not start the watchdog: {error}"))?;
    let function = Arc::new(Function { worker, awaited, function_timeout, watchdog });
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let (function, connections) = (Arc::clone(&function), connections.clone());
        async move {
            let response = handle(function, event).await;
            connections.give_up();
            response
        }
    });
    let runtime = Runtime::new(handler).layer(TracingLayer::new()).layer(MapRequestLayer::new(null_for_nothing));
    runtime.run().await.map_err(|_| "the Lambda runtime stopped: its API can't be reached".into())
}

/// Takes a folder in `WORK_FOLDER` that belongs only to this worker, and puts it into the settings.
fn take_work_folder(config: Config) -> Result<(Config, WorkerFolder), String> {
    let parent = config.settings.work_folder.clone();
    let taken =
        if config.settings.clean_tmp { WorkerFolder::take_and_clean(&parent) } else { WorkerFolder::take(&parent) };
    let work_folder = taken
        .map_err(|error| format!("could not create a work folder in {} (WORK_FOLDER): {error}", parent.display()))?;
    let settings = config::Settings { work_folder: work_folder.path().to_owned(), ..config.settings };
    Ok((Config { settings, ..config }, work_folder))
}

/// Returns an error if Lambda did not start the process.
fn from_lambda(environment: &Environment) -> Result<(), String> {
    let missing: Vec<_> = FROM_LAMBDA.into_iter().filter(|name| environment.get(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (are, them) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
    Err(format!(
        "{} {are} not set. Lambda sets {them}: run this program on Lambda, with `cargo lambda watch` or with `codepipeline-local \
         serve --function`",
        missing.join(", ")
    ))
}

/// Returns an error if a type of the author's own needs what this build lacks.
fn own_types_are_built(own: &[Served]) -> Result<(), String> {
    let third_party = own.iter().find(|served| served.action_type.owner == "ThirdParty");
    match third_party {
        Some(served) if !cfg!(feature = "third-party") => {
            Err(format!("{}: {}", served.action_type, third_party_left_out()))
        }
        _ => Ok(()),
    }
}

/// A worker with the action types of `config` and your `own`, and with clients made from `sdk_config`.
pub fn worker(config: Config, own: Vec<Served>, sdk_config: &SdkConfig) -> Worker {
    let Config { actions, settings, client_tokens, ledger_bucket, .. } = config;
    let lifecycle = Lifecycle {
        queue: Queue::new(sdk_config, client_tokens),
        ledger: ledger_bucket.map(|bucket| Ledger::new(sdk_config, bucket)),
        stores: Stores::new(sdk_config),
        unpacking: UnpackLimits { max_unpacked_bytes: settings.max_unpacked_bytes, max_entries: settings.max_entries },
        clean: settings.work_folder.parent().filter(|_| settings.clean_tmp).map(Path::to_owned),
        work_folder: settings.work_folder,
        min_free_bytes: settings.min_free_bytes,
        reporting: settings.reporting,
        metrics: Metrics::off(),
        wall_clock: Arc::new(now),
    };
    let served = own.into_iter().chain(actions.into_iter().map(|action| served(action, sdk_config))).collect();
    Worker::new(lifecycle, served, settings.concurrency, settings.staging).polling(settings.polls)
}

fn served(config: ActionConfig, sdk_config: &SdkConfig) -> Served {
    let ActionConfig { action_type, query_param, secrets, on_crash, shared, kind, run } = config;
    if run.overall > LONGEST_RUN {
        tracing::warn!(
            actionType = %action_type,
            configuredSeconds = run.overall.as_secs(),
            usedSeconds = LONGEST_RUN.as_secs(),
            "lowered timeoutSeconds, because CodePipeline ends an action 24 hours after its start"
        );
    }
    let served = Served::boxed(action_type, run.turn, (run.make)(sdk_config));
    let served = served.overall_timeout(run.overall).secrets(secrets).on_crash(on_crash);
    Served { query_param, alone: kind.runs_alone, shared, ..served }
}

/// The resources that jobs may wait for, each with the source of its events.
fn awaited(config: &Config) -> Vec<(&'static str, String)> {
    let awaited =
        |action: &ActionConfig| Some((action.kind.end_of_work.as_ref()?.source, action.run.waits_for.clone()?));
    config.actions.iter().filter_map(awaited).collect()
}

/// The time for the last log line, and for killing the commands.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Returns the function that ends the process without unwinding. A stuck task may hold the log's lock, so another thread kills
/// the commands and writes the log line, and the function waits for it only a short time. The thread starts early, because at
/// the deadline a command may have filled the process table.
fn last_words() -> io::Result<impl FnOnce() + Send + 'static> {
    let (begin, begun) = mpsc::channel();
    let (said, heard) = mpsc::channel();
    thread::Builder::new().name("last words".into()).spawn(move || {
        if begun.recv().is_err() {
            return;
        }
        command::kill_descendants();
        tracing::error!(
            "the invocation did not end at its deadline, because some work ignores its cancellation: the process aborts, and with a \
             ledger a later invocation recovers the jobs"
        );
        let _ = said.send(());
    })?;
    Ok(move || {
        let _ = begin.send(());
        let _ = heard.recv_timeout(LAST_WORDS);
        std::process::abort();
    })
}

/// The time of day, for deadlines and for times that outlast an invocation.
#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn environment() -> Environment {
    // Text that is not UTF-8 breaks the rule of its variable, which reports it.
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}
