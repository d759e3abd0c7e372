//! The Lambda functions of `--function`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::flags::Wanted;
use super::names::key_of;
use super::plan::Plan;
use super::runner::Runner;
use super::setup;
use crate::cli::shown::Show;
use crate::client_environment::with_variables;
use crate::dates::iso_seconds;
use crate::event_pattern::EventPattern;
use crate::runtime_api::{Function, FunctionSettings, Functions as ByName, Invocation, Output, Schedule, Waking};
use crate::server::Emulator;
use crate::shell::AwaitedJob;
use crate::template::{Function as Declared, Project};

/// How many invocations of a function run at a time.
const CONCURRENCY: NonZeroU16 = NonZeroU16::MIN.saturating_add(9);
/// The longest that an invocation may take, unless the template says less: Lambda's limit.
const TIMEOUT: Duration = Duration::from_secs(900);
/// How often a function that polls is invoked, in addition to the events of its actions.
const SCHEDULE: Duration = Duration::from_secs(5);

/// The value of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` of a function that the file does not define, in MiB.
const MEMORY: u32 = 1024;
/// The memory of a function whose template does not say it, in MiB (CloudFormation, "AWS::Lambda::Function").
const LAMBDAS_MEMORY: u32 = 128;
/// Variables of the template that a function does not get: they are of this machine, or the Runtime API's.
const RESERVED: [&str; 11] = [
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
    "PATH",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];
/// The same, by how their names begin. With these, an SDK would not find the emulator.
const RESERVED_BEGINS: [&str; 8] = [
    "AWS_ACCESS_KEY",
    "AWS_CONTAINER_",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT",
    "AWS_LAMBDA_",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_",
];

/// The functions that the emulator invokes until they are stopped.
pub(super) struct Functions {
    functions: Vec<Function>,
    waking: Waking,
    schedule: Option<Schedule>,
    stopping: Arc<AtomicBool>,
}

impl Functions {
    /// Subscribes the functions to the emulator's jobs, each by its name in the pipeline, and the one that polls to the events.
    pub(super) fn start(
        emulator: &Emulator,
        (plan, project, wanted): (&Plan, &Project, &Wanted),
        environment: &BTreeMap<String, String>,
        show: &Show,
    ) -> io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let mut functions = BTreeMap::new();
        let mut started = BTreeMap::new();
        for (key, command) in &wanted.functions {
            let engine = setup::settings();
            let known = declared(project, key);
            let (name, template) = known.map_or((key, None), |(name, template)| (name, Some(template)));
            let timeout = template.and_then(|it| it.timeout).map(Duration::from_secs);
            let timeout = timeout.map_or(TIMEOUT, |timeout| timeout.clamp(Duration::from_secs(1), TIMEOUT));
            let settings = FunctionSettings {
                name: name.clone(),
                command: command.0.clone(),
                account_id: engine.account_id,
                region: engine.region,
                env: with_variables(template.map(variables).unwrap_or_default(), environment.clone()),
                timeout,
                memory_mb: template.map_or(MEMORY, |it| it.memory.unwrap_or(LAMBDAS_MEMORY)),
                output: shown(key, show, &stopping),
            };
            started.insert(name.clone(), (key.clone(), timeout));
            functions.insert(key.clone(), Function::with_concurrency(settings, CONCURRENCY)?);
        }
        let mut by_name = ByName::default();
        for physical in project.functions.keys().chain(wanted.functions.keys()) {
            let function = key_of(physical, project, wanted).and_then(|key| functions.get(&key));
            by_name.named.extend(function.map(|function| (physical.clone(), function.clone())));
        }
        let polling = plan.actions().find_map(|(_, action)| match &action.runner {
            Runner::Polling(name) => functions.get_key_value(name),
            _ => None,
        });
        by_name.other = polling.map(|(_, function)| (function.clone(), EventPattern::action_events()));
        let report = {
            let (show, stopping, awaited) = (Arc::clone(show), Arc::clone(&stopping), emulator.awaited_jobs());
            // Invocations that end because the run ends are not failures.
            move |name: &str, job: Option<&str>, end| {
                let Some((key, timeout)) = started.get(name).filter(|_| !stopping.load(Ordering::Relaxed)) else {
                    return;
                };
                let failure = failure(end, *timeout);
                failure.iter().for_each(|failure| show(key, failure));
                if let Some(job) = job.and_then(|job| awaited.find(job)) {
                    show(key, &waiting(&job, failure.is_some()));
                }
            }
        };
        let schedule = polling.map(|(key, function)| {
            let name = declared(project, key).map_or(key, |(name, _)| name).clone();
            let report = report.clone();
            Schedule::start(function.clone(), SCHEDULE, move |end| report(&name, None, end))
        });
        let waking = Waking::by_name(emulator, by_name, report);
        Ok(Self { functions: functions.into_values().collect(), waking, schedule, stopping })
    }

    /// Ends the functions' invocations and processes. Their output is shown no longer. Dropping the returned future leaves running
    /// invocations to the end of the runtime, which kills them.
    pub(super) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop((self.waking, self.schedule));
        Function::stop_all(self.functions).await;
    }
}

/// The function of the template that a `--function` names, by its name or logical id.
fn declared<'p>(project: &'p Project, key: &str) -> Option<(&'p String, &'p Declared)> {
    let by_id = || project.functions.iter().find(|(_, function)| function.logical_id == key);
    project.functions.get_key_value(key).or_else(by_id)
}

/// The variables that the template gives a function.
fn variables(function: &Declared) -> BTreeMap<String, String> {
    let known = function.environment.iter().filter(|(name, _)| !is_reserved(name));
    known.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
}

/// Whether the emulator or this machine decides about a variable.
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || RESERVED_BEGINS.iter().any(|begin| name.starts_with(begin))
}

/// Names the variables of the template that the functions do not get.
pub(super) fn notes(project: &Project, wanted: &Wanted) -> Vec<String> {
    let mut notes = Vec::new();
    for key in wanted.functions.keys() {
        let Some((_, function)) = declared(project, key) else { continue };
        let left_out = |is_left_out: &dyn Fn(&str, &Option<String>) -> bool| {
            let given = function.environment.iter().filter(|(name, _)| !wanted.env.contains_key(*name));
            given.filter(|(name, value)| is_left_out(name, value)).map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        };
        let unknown = left_out(&|name, value| value.is_none() && !is_reserved(name));
        if let Some(first) = unknown.first() {
            notes.push(format!(
                "the function {key} runs without {}, whose values only AWS knows; give them with --env {first}=VALUE",
                unknown.join(", ")
            ));
        }
        let reserved = left_out(&|name, _| is_reserved(name));
        if !reserved.is_empty() {
            notes.push(format!(
                "the function {key} does not get the template's {}: the emulator sets its own, or this machine does",
                reserved.join(", ")
            ));
        }
    }
    notes
}

/// Shows the function's lines until the run ends.
fn shown(key: &str, show: &Show, stopping: &Arc<AtomicBool>) -> Output {
    let (key, show, stopping) = (key.to_owned(), Arc::clone(show), Arc::clone(stopping));
    Output::Each(Arc::new(move |line| {
        if !stopping.load(Ordering::Relaxed) {
            show(&key, line);
        }
    }))
}

/// The message of a line of Lambda's JSON log format, with its level unless that is INFO. Other lines stay as they are.
pub(super) fn readable(line: &str) -> String {
    let fields = serde_json::from_str::<Value>(line).unwrap_or_default();
    match (&fields["level"], &fields["message"]) {
        (Value::String(level), Value::String(message)) if level == "INFO" => message.clone(),
        (Value::String(level), Value::String(message)) => format!("{level} {message}"),
        _ => line.to_owned(),
    }
}

/// Why an invocation failed. `None` if it did not.
fn failure(end: io::Result<Invocation>, timeout: Duration) -> Option<String> {
    match end {
        Ok(Invocation::Answered(_)) => None,
        Ok(Invocation::Failed { error_type, message }) => {
            Some(format!("the invocation failed: {error_type}: {message}"))
        }
        Ok(Invocation::TimedOut) => {
            Some(format!("the invocation was killed at its timeout of {} s", timeout.as_secs()))
        }
        Ok(Invocation::Exited { status }) => Some(format!("the process ended without a response ({status})")),
        Err(error) => Some(error.to_string()),
    }
}

/// Says how long the action of a job waits, because its function has ended without a result.
fn waiting(job: &AwaitedJob, has_failed: bool) -> String {
    let AwaitedJob { stage, action, until, left } = job;
    let date = iso_seconds(*until);
    let time = date.split_once('T').map_or("", |(_, time)| time.trim_end_matches('Z'));
    let minutes = left.as_secs().div_ceil(60);
    let retries = "; Lambda invokes a failed function up to two more times, which codepipeline-local does not";
    format!(
        "{stage}/{action} waits for the job's result until {time} UTC ({minutes} min): the function ended, and put-job-success-result or \
         put-job-failure-result is missing{}; Ctrl-C stops the run",
        if has_failed { retries } else { "" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_line_becomes_its_message() {
        let line = |level: &str| format!("{{\"level\": \"{level}\", \"message\": \"acknowledged the job\", \"n\": 1}}");
        assert_eq!(readable(&line("INFO")), "acknowledged the job");
        assert_eq!(readable(&line("WARN")), "WARN acknowledged the job");
        for other in ["plain", "{\"message\": 1}", "[1]", ""] {
            assert_eq!(readable(other), other);
        }
    }
}
