//! From the process's start to a running Lambda function: config, logging, clients, run.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use crate::actions::Served;
use crate::actions::command;
use crate::actions::state_machine::StateMachineAction;
use crate::artifacts::{Limits, Stores};
use crate::config::{ActionConfig, Config, ConfigError, Environment, Run};
use crate::event::Event;
use crate::ledger::Ledger;
use crate::lifecycle::Lifecycle;
use crate::queue::Queue;
use crate::watchdog::Watchdog;
use crate::worker::{Summary, Worker};
use crate::workspace::WorkFolder;
use crate::{config, telemetry};

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
/// Ends early, with a failure, only if the worker can't start: a bad configuration is logged as one line that lists every
/// mistake in it.
pub async fn run() -> ExitCode {
    let environment = environment();
    ended(start(Config::from_variables(&environment), &environment, Vec::new()).await)
}

/// The same with action types of one's own beside those that `ACTIONS` configures, which may be none.
///
/// # Examples
/// See `examples/custom_action.rs`: an implementation of [`Action`](crate::actions::Action) and three lines of `main`.
pub async fn run_with(own: Vec<Served>) -> ExitCode {
    let environment = environment();
    ended(start(Config::beside_own_actions(&environment), &environment, own).await)
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("{reason}");
            ExitCode::FAILURE
        }
    }
}

async fn start(config: Result<Config, ConfigError>, environment: &Environment, own: Vec<Served>) -> Result<(), String> {
    telemetry::install(config.as_ref().map_or(tracing::Level::INFO, |config| config.log_level));
    let config = config.map_err(|error| error.to_string())?;
    from_lambda(environment)?;
    if config.ledger_bucket.is_none() {
        tracing::warn!(
            "LEDGER_BUCKET is not set: a job whose worker dies stays InProgress until its action times out, which takes up to 24 \
             hours"
        );
    }

    command::harden_process().map_err(|error| format!("the process can't be shielded from commands: {error}"))?;
    let parent = config.limits.work_folder.clone();
    let taken = if config.limits.clean_tmp { WorkFolder::take_and_clean(&parent) } else { WorkFolder::take(&parent) };
    let work_folder = taken
        .map_err(|error| format!("no folder to work in can be had in {} (WORK_FOLDER): {error}", parent.display()))?;
    let config =
        Config { limits: config::Limits { work_folder: work_folder.path().to_owned(), ..config.limits }, ..config };
    let shared = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    let function_timeout = config.limits.function_timeout;
    let machines = own.is_empty().then(|| machines(&config));
    let worker = Arc::new(worker(config, own, &shared));
    let watchdog =
        last_words().and_then(Watchdog::start).map_err(|error| format!("the watchdog can't be started: {error}"))?;
    let function = Arc::new(Function { worker, machines, function_timeout, watchdog });
    let handler = service_fn(move |event: LambdaEvent<Value>| handle(Arc::clone(&function), event));
    lambda_runtime::run(handler).await.map_err(|_| "the Lambda runtime stopped: its API can't be reached".into())
}

/// Fails when the process was not started as a Lambda function is.
fn from_lambda(environment: &Environment) -> Result<(), String> {
    let missing: Vec<_> = FROM_LAMBDA.into_iter().filter(|name| environment.get(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} not set, as Lambda does: this is a Lambda function, to be run there, by `cargo lambda watch` or by \
         `codepipeline-local serve --function`",
        missing.join(", ") + if missing.len() == 1 { " is" } else { " are" }
    ))
}

/// A worker as `config` describes it, with action types of one's `own` beside, and with clients made from `shared`.
pub fn worker(config: Config, own: Vec<Served>, shared: &SdkConfig) -> Worker {
    let Config { actions, limits, client_tokens, ledger_bucket, .. } = config;
    let lifecycle = Lifecycle {
        queue: Queue::new(shared, client_tokens),
        ledger: ledger_bucket.map(|bucket| Ledger::new(shared, bucket)),
        stores: Stores::new(shared),
        unpacking: Limits { max_unpacked_bytes: limits.max_unpacked_bytes, max_entries: limits.max_entries },
        clean: limits.work_folder.parent().filter(|_| limits.clean_tmp).map(Path::to_owned),
        work_folder: limits.work_folder,
        reporting: limits.reporting,
        wall_clock: Arc::new(now),
    };
    let served = own.into_iter().chain(actions.into_iter().map(|action| served(action, shared))).collect();
    Worker::new(lifecycle, served, limits.concurrency, limits.staging)
}

fn served(config: ActionConfig, shared: &SdkConfig) -> Served {
    let ActionConfig { action_type, query_param, secrets, on_crash, shared: shared_type, run } = config;
    let served = match run {
        Run::Command { action, turn } => Served::new(action_type, turn, *action).alone(),
        Run::Http { action, turn, overall } => Served::new(action_type, turn, *action).overall_timeout(overall),
        Run::StateMachine { machine, turn, overall } => {
            let action = StateMachineAction::new(shared, machine, secrets.clone());
            Served::new(action_type, turn, action).overall_timeout(overall)
        }
    };
    let mut served = served.secrets(secrets).on_crash(on_crash);
    if shared_type {
        served = served.shared();
    }
    served.query_param = query_param;
    served
}

/// The ARNs of the configured state machines, perhaps with version or alias.
fn machines(config: &Config) -> Vec<String> {
    let machine = |action: &ActionConfig| match &action.run {
        Run::StateMachine { machine, .. } => Some(machine.as_str().to_owned()),
        Run::Command { .. } | Run::Http { .. } => None,
    };
    config.actions.iter().filter_map(machine).collect()
}

/// What every invocation needs.
struct Function {
    worker: Arc<Worker>,
    /// The state machines whose executions jobs wait for; `None` where actions of one's own may wait for any.
    machines: Option<Vec<String>>,
    function_timeout: Duration,
    watchdog: Watchdog,
}

impl Function {
    /// Whether jobs may wait for this machine's executions. An event without a name may be of any.
    fn waits_for(&self, state_machine: Option<&str>) -> bool {
        let (Some(machines), Some(ended)) = (&self.machines, state_machine) else { return true };
        machines
            .iter()
            .any(|known| known.strip_prefix(ended).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    }
}

/// Answers one invocation. The work runs in a task of its own, since what a panic says must not reach Lambda's answer.
async fn handle(function: Arc<Function>, event: LambdaEvent<Value>) -> Result<Summary, Diagnostic> {
    let LambdaEvent { payload, context } = event;
    let woken_by = Event::parse(&payload).map_err(|error| diagnostic("UnknownEvent", error.to_string()))?;
    let left = time_left(now(), context.deadline(), function.function_timeout);
    let _watched = function.watchdog.watch(left);
    let deadline = Instant::now() + left;
    if let Event::StateMachineEnded { state_machine } = &woken_by
        && !function.waits_for(state_machine.as_deref())
    {
        let message = "an execution of a state machine has ended that no action type in ACTIONS names; mend the rule that sent it";
        return Err(diagnostic("UnknownEvent", message.into()));
    }
    let worker = Arc::clone(&function.worker);
    let invocation = async move {
        match woken_by {
            Event::Schedule | Event::StateMachineEnded { .. } => worker.invoke(deadline).await,
            Event::ActionStarted { action_type, execution_id } => {
                worker.action_started(&action_type, execution_id.as_deref(), deadline).await
            }
            Event::ActionOver { action_type, execution_id } => {
                worker.action_over(&action_type, &execution_id, deadline).await
            }
            Event::InvokeJob => worker.run_job(&payload, deadline).await,
        }
    };
    match tokio::spawn(invocation.in_current_span()).await {
        Ok(Ok(summary)) => Ok(summary),
        Ok(Err(error)) => Err(diagnostic("InvocationError", error.to_string())),
        Err(_) => Err(diagnostic("Panic", "the worker panicked; its log says where".into())),
    }
}

/// How long the process may take to say why it ends, and to end what it has started.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What ends the process without unwinding. What is stuck may hold the log's lock, so whatever could wait for it is left to
/// another thread, and is not waited for long. That thread is there from the beginning: at the deadline a command may have
/// filled the process table, and that is when its processes have to be ended.
fn last_words() -> io::Result<impl FnOnce() + Send + 'static> {
    let (begin, begun) = mpsc::channel();
    let (said, heard) = mpsc::channel();
    thread::Builder::new().name("last words".into()).spawn(move || {
        if begun.recv().is_err() {
            return;
        }
        command::kill_descendants();
        tracing::error!(
            "the invocation's deadline has come and it is not over: something in it ignores its cancellation. The process \
             ends; with a ledger a later invocation looks after its jobs"
        );
        let _ = said.send(());
    })?;
    Ok(move || {
        let _ = begin.send(());
        let _ = heard.recv_timeout(LAST_WORDS);
        std::process::abort();
    })
}

fn diagnostic(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: error_type.into(), error_message }
}

/// Lambda gives the deadline on the wall clock; everything after this reckons on the monotonic one.
///
/// `cargo lambda watch` sends a fixed small number, which as a time is in 1970. A deadline that is older than Lambda itself
/// (2014) is none, and the function's configured timeout counts from now.
fn time_left(now: SystemTime, deadline: SystemTime, function_timeout: Duration) -> Duration {
    const FIRST_LAMBDA: Duration = Duration::from_secs(1_388_534_400);
    if deadline < SystemTime::UNIX_EPOCH + FIRST_LAMBDA {
        return function_timeout;
    }
    // A wall clock that is behind gives no more time than there is.
    deadline.duration_since(now).unwrap_or_default().min(function_timeout)
}

/// The time of day, which deadlines and whatever outlasts an invocation are told in.
#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn environment() -> Environment {
    // What is not UTF-8 breaks the rule of the variable that it is in, and is reported there.
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_deadline_is_a_time_on_the_wall_clock() {
        let now = at(1_800_000_000);
        assert_eq!(time_left(now, at(1_800_000_060), TIMEOUT), Duration::from_secs(60));
        assert_eq!(time_left(now, at(1_799_999_999), TIMEOUT), Duration::ZERO);
    }

    #[test]
    fn a_deadline_in_1970_means_that_there_is_none_but_the_functions_timeout() {
        assert_eq!(time_left(at(1_800_000_000), at(600), TIMEOUT), TIMEOUT);
    }
}
