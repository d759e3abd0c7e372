//! `run` and `timeoutSeconds`: what the work of an action type is, and how long it may take.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::Run;
use crate::actions::LONGEST_RUN;
use crate::actions::command::{self, CommandAction};
use crate::actions::http::{self, HttpAction, HttpMistake, HttpSettings, system_clock};
use crate::actions::state_machine::StateMachineArn;
use crate::placeholder::Template;
use crate::settings::{Environment, Problems, Settings, only_known, whole_seconds};

const KINDS: [&str; 3] = ["command", "http", "stateMachine"];

const DEFAULT_COMMAND_SECONDS: u64 = 300;
/// CodePipeline's own limit for custom actions (user guide, "Quotas"): 24 hours. It ends an action before a limit of ours that is
/// as long, so more than [`LONGEST_RUN`] is lowered to that.
const LONGEST_SECONDS: u64 = 24 * 60 * 60;
const DEFAULT_REQUEST_SECONDS: u64 = 30;
const LONGEST_REQUEST_SECONDS: u64 = 120;
/// A call of Step Functions takes tens of milliseconds; this is room to try it again.
const STATE_MACHINE_TURN: Duration = Duration::from_secs(30);

/// What the other members of the entry, and the environment, have to do with `run`.
pub(super) struct Around<'a> {
    pub(super) path: &'a str,
    pub(super) secrets: &'a [String],
    pub(super) settings: &'a Settings,
    pub(super) environment: &'a Environment,
}

pub(super) fn parse(entry: &Map<String, Value>, around: &Around<'_>, problems: &mut Problems) -> Option<Run> {
    let path = format!("{}.run", around.path);
    let none = Map::new();
    let members = entry.get("run").and_then(Value::as_object).unwrap_or(&none);
    if members.len() != 1 {
        problems.add(&path, format_args!("must be an object with exactly one member: {}", KINDS.join(", ")));
    }
    only_known(members, &path, &KINDS, problems);
    let seconds = entry.get("timeoutSeconds");
    let mut runs = Vec::new();
    for (kind, value) in members {
        let path = format!("{path}.{kind}");
        runs.push(match kind.as_str() {
            "command" => run_command(value, seconds, &path, around, problems),
            "http" => run_http(value, seconds, &path, around, problems),
            "stateMachine" => run_state_machine(value, seconds, &path, around, problems),
            _ => None,
        });
    }
    if !KINDS.iter().any(|kind| members.contains_key(*kind)) && whole_seconds(seconds, 1).is_none_or(|it| it == 0) {
        problems.add(format_args!("{}.timeoutSeconds", around.path), "must be a whole number of seconds, 1 or more");
    }
    runs.into_iter().next().flatten().filter(|_| members.len() == 1)
}

/// The variable that the entry says holds its webhooks' key.
pub(super) fn variable(entry: &Map<String, Value>) -> Option<String> {
    entry.get("run")?.get("http")?.get("secretVariable")?.as_str().map(str::to_owned)
}

fn run_command(
    value: &Value,
    seconds: Option<&Value>,
    path: &str,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<Run> {
    let timeout = command_timeout(seconds, around, problems);
    let arguments = templates(value, path, around, problems)?;
    let package = around.settings.package_folder.clone();
    let command = CommandAction::new(arguments, around.secrets.to_vec(), timeout, package);
    let action = command.map_err(|mistake| problems.add(path, mistake)).ok()?;
    Some(Run::Command { action: Box::new(action), turn: timeout + command::ENDING })
}

fn run_http(
    value: &Value,
    seconds: Option<&Value>,
    path: &str,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<Run> {
    let overall = overall_timeout(seconds, around, problems);
    let Some(members) = value.as_object() else {
        problems.add(path, "must be an object with url and secretVariable");
        return None;
    };
    only_known(members, path, &["url", "secretVariable", "requestTimeoutSeconds"], problems);
    let request_path = format!("{path}.requestTimeoutSeconds");
    let request = whole_seconds(members.get("requestTimeoutSeconds"), DEFAULT_REQUEST_SECONDS)
        .filter(|seconds| (1..=LONGEST_REQUEST_SECONDS).contains(seconds))
        .unwrap_or_else(|| {
            problems.add(request_path, format_args!("must be a whole number from 1 to {LONGEST_REQUEST_SECONDS}"));
            DEFAULT_REQUEST_SECONDS
        });
    let secret = webhook_secret(members.get("secretVariable"), path, around, problems);
    let url = members.get("url").and_then(Value::as_str);
    if url.is_none() {
        problems.add(format_args!("{path}.url"), "must be a string: the URL that jobs are POSTed to");
    }
    for mistake in http::mistakes(url, secret.as_ref().map(|(_, secret)| secret)) {
        match (mistake, &secret) {
            (HttpMistake::Secret, Some((name, _))) => problems.add(name, mistake),
            _ => problems.add(format_args!("{path}.url"), mistake),
        }
    }
    let request_timeout = Duration::from_secs(request);
    // Two tries that take their whole time, and their pauses.
    let turn = fitting(request_timeout * 2 + Duration::from_secs(10), path, around, problems);
    let settings = HttpSettings {
        url: url?.to_owned(),
        secret: secret?.1,
        secrets: around.secrets.to_vec(),
        request_timeout,
        clock: system_clock,
    };
    // Its mistakes are found by now.
    let action = HttpAction::new(settings).ok()?;
    Some(Run::Http { action: Box::new(action), turn, overall })
}

/// The name of the variable that holds the key of the webhooks, and its value.
fn webhook_secret(
    value: Option<&Value>,
    path: &str,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<(String, SecretString)> {
    let plain = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let Some(name) = value.and_then(Value::as_str).filter(plain) else {
        let rule =
            "must be the name of the environment variable that holds the key (whsec_…) of the webhooks' signature";
        problems.add(format_args!("{path}.secretVariable"), rule);
        return None;
    };
    let Some(secret) = around.environment.get(name) else {
        problems
            .add(format_args!("{path}.secretVariable"), format_args!("names the variable {name}, which is not set"));
        return None;
    };
    Some((name.to_owned(), SecretString::from(secret)))
}

fn run_state_machine(
    value: &Value,
    seconds: Option<&Value>,
    path: &str,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<Run> {
    let overall = overall_timeout(seconds, around, problems);
    let turn = fitting(STATE_MACHINE_TURN, path, around, problems);
    let Some(arn) = value.as_str() else {
        problems.add(path, "must be a string: the state machine's ARN");
        return None;
    };
    let machine = StateMachineArn::parse(arn).map_err(|mistake| problems.add(path, mistake)).ok()?;
    Some(Run::StateMachine { machine, turn, overall })
}

/// A command runs within one invocation, so its time, staging and the report must fit into the function's timeout.
fn command_timeout(value: Option<&Value>, around: &Around<'_>, problems: &mut Problems) -> Duration {
    let path = format!("{}.timeoutSeconds", around.path);
    let settings = around.settings;
    let beside = settings.polling + settings.staging + command::ENDING + settings.reporting;
    let longest = settings.function_timeout.saturating_sub(beside).as_secs();
    let seconds = whole_seconds(value, DEFAULT_COMMAND_SECONDS).unwrap_or(0);
    if seconds == 0 {
        problems.add(path, "must be a whole number of seconds, 1 or more");
    } else if seconds > longest {
        let (function, beside) = (settings.function_timeout.as_secs(), beside.as_secs());
        let default = if value.is_none() { " by default" } else { "" };
        problems.add(
            path,
            format_args!(
                "is {seconds}{default}, but a function with a timeout of {function} s (FUNCTION_TIMEOUT) leaves {longest} s: \
                 polling, staging (STAGING_TIMEOUT), ending and reporting need {beside} s, so no such job could ever be claimed"
            ),
        );
    }
    Duration::from_secs(seconds)
}

/// Work outside spans invocations: its time counts across continuations.
fn overall_timeout(value: Option<&Value>, around: &Around<'_>, problems: &mut Problems) -> Duration {
    let default = LONGEST_RUN.as_secs();
    let seconds = whole_seconds(value, default).filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds));
    let asked = Duration::from_secs(seconds.unwrap_or_else(|| {
        let rule =
            format_args!("must be a whole number of seconds from 1 to {LONGEST_SECONDS}, CodePipeline's own limit");
        problems.add(format_args!("{}.timeoutSeconds", around.path), rule);
        default
    }));
    asked.min(LONGEST_RUN)
}

/// What `timeoutSeconds` asks for, if `run` has less because nothing could run so long.
pub(super) fn lowered(entry: &Map<String, Value>, run: &Run) -> Option<Duration> {
    let (Run::Http { overall, .. } | Run::StateMachine { overall, .. }) = run else { return None };
    let asked = whole_seconds(entry.get("timeoutSeconds"), 0).map(Duration::from_secs);
    asked.filter(|asked| asked > overall)
}

/// `turn`, one call's time at work that goes on outside, which must fit into the function's timeout.
fn fitting(turn: Duration, path: &str, around: &Around<'_>, problems: &mut Problems) -> Duration {
    let settings = around.settings;
    let needed = settings.polling + turn + settings.staging + settings.reporting;
    if needed > settings.function_timeout {
        let (needed, function) = (needed.as_secs(), settings.function_timeout.as_secs());
        let rule = format_args!(
            "needs {needed} s at a time, polling, staging (STAGING_TIMEOUT) and reporting included, but the function's timeout is \
             {function} s (FUNCTION_TIMEOUT)"
        );
        problems.add(path, rule);
    }
    turn
}

fn templates(value: &Value, path: &str, around: &Around<'_>, problems: &mut Problems) -> Option<Vec<Template>> {
    let Some(arguments) = value.as_array() else {
        problems.add(path, "must be an array of strings: the program and its arguments");
        return None;
    };
    let mut templates = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let at = format!("{path}[{index}]");
        match argument.as_str().map(Template::parse_all) {
            Some(Ok(template)) => {
                for mistake in command::mistakes(index, &template, around.secrets) {
                    problems.add(path, mistake);
                }
                templates.push(template);
            }
            Some(Err(mistakes)) => mistakes.into_iter().for_each(|mistake| problems.add(&at, mistake)),
            None => problems.add(at, "must be a string"),
        }
    }
    (templates.len() == arguments.len()).then_some(templates)
}
