//! The flags of the Lambda function that `serve` runs.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::numbers;
use crate::durations::{OrNever, parse_some, parse_some_or_never};
use crate::event_pattern::EventPattern;
use crate::runtime_api::{Function, FunctionSettings, Invocation, Output, Schedule, Waking, check_command};
use crate::server::Emulator;

#[derive(Args)]
#[command(next_help_heading = "The function")]
pub(super) struct FunctionFlags {
    /// Command of a Lambda bootstrap to run, quoted as in a shell. A schedule, events of actions and jobs of Lambda Invoke actions
    /// invoke it. The jobs may name any function
    #[arg(long, value_name = "COMMAND", value_parser = words)]
    function: Option<Words>,
    /// How often to invoke the function, the first time at once; with never, only events and jobs invoke it
    #[arg(long, value_name = "DURATION", value_parser = parse_some_or_never, default_value = "60s", requires = "function")]
    schedule: OrNever,
    /// How long an invocation may take
    #[arg(long, value_name = "DURATION", value_parser = parse_some, default_value = "900s", requires = "function")]
    timeout: Duration,
    /// How many invocations run at a time, each in its own process; more wait their turn
    #[arg(long, value_name = "NUMBER", value_parser = numbers::from_1_to_65535, default_value = "10", requires = "function")]
    max_concurrency: NonZeroU16,
    /// Which of CodePipeline's events invoke the function: the pattern of an EventBridge rule in JSON [default: STARTED, FAILED,
    /// ABANDONED and CANCELED of custom and third-party actions]
    #[arg(long, value_name = "PATTERN", value_parser = EventPattern::parse, requires = "function")]
    event_pattern: Option<EventPattern>,
    /// A variable of the function's environment. Repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "function")]
    env: Vec<String>,
}

/// A function whose command was checked.
pub(super) struct Ready {
    settings: FunctionSettings,
    schedule: Option<Duration>,
    max_concurrency: NonZeroU16,
    event_pattern: EventPattern,
}

/// A function that the emulator invokes until it is stopped.
pub(super) struct Running {
    function: Function,
    waking: Waking,
    schedule: Option<Schedule>,
    stopping: Arc<AtomicBool>,
}

impl FunctionFlags {
    /// Checks the flags before the emulator starts. Returns `None` if no function is given.
    pub(super) fn ready(self, account_id: &str, region: &str) -> Result<Option<Ready>, String> {
        let env: BTreeMap<_, _> = self.env.iter().map(|text| variable(text)).collect::<Result<_, _>>()?;
        let Some(command) = self.function else { return Ok(None) };
        check_command(&command.0, &env).map_err(|why| format!("--function: {why}"))?;
        let settings = FunctionSettings {
            name: "function".to_owned(),
            command: command.0,
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            env,
            timeout: self.timeout,
            memory_mb: 1024,
            output: Output::Inherit,
        };
        Ok(Some(Ready {
            settings,
            schedule: self.schedule.0,
            max_concurrency: self.max_concurrency,
            event_pattern: self.event_pattern.unwrap_or_else(EventPattern::action_events),
        }))
    }
}

impl Ready {
    /// Starts the schedule and subscribes the function to the emulator's events and jobs.
    pub(super) fn start(mut self, emulator: &Emulator) -> io::Result<Running> {
        self.settings.env = environment(&emulator.endpoint(), &self.settings.region, self.settings.env);
        let function = Function::with_concurrency(self.settings, self.max_concurrency)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let report = {
            let stopping = Arc::clone(&stopping);
            // Don't log invocations that end because the emulator ends.
            move |end| {
                if !stopping.load(Ordering::Relaxed) {
                    report(end);
                }
            }
        };
        let waking = Waking::start(emulator, function.clone(), self.event_pattern, report.clone());
        let schedule = self.schedule.map(|period| Schedule::start(function.clone(), period, report));
        Ok(Running { function, waking, schedule, stopping })
    }
}

impl Running {
    /// Ends the function's invocations and processes.
    pub(super) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop((self.schedule, self.waking));
        self.function.stop().await;
    }
}

/// The variables that a function needs to find the emulator and to sign its requests. The user's variables take precedence.
fn environment(endpoint: &str, region: &str, given: BTreeMap<String, String>) -> BTreeMap<String, String> {
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

fn report(end: io::Result<Invocation>) {
    match end {
        Ok(Invocation::Answered(answer)) => tracing::info!("the function returned {answer}"),
        Ok(Invocation::Failed { error_type, message }) => {
            tracing::warn!("the function failed: {error_type}: {message}");
        }
        Ok(Invocation::TimedOut) => tracing::warn!("the function was killed at its timeout"),
        Ok(Invocation::Exited { status }) => {
            tracing::warn!("the function's process ended without a response: {status}");
        }
        Err(error) => tracing::error!("{error}"),
    }
}

/// A command, split into words.
#[derive(Clone)]
struct Words(Vec<String>);

fn words(text: &str) -> Result<Words, String> {
    match shlex::split(text) {
        None => Err("a quote is not closed, or the command ends with a backslash".to_owned()),
        Some(words) if words.is_empty() => Err("the command is empty".to_owned()),
        Some(words) => Ok(Words(words)),
    }
}

/// Parsed here and not by clap: clap's errors repeat the argument, and the value may be a secret.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !text.contains('\0') => Ok((name.to_owned(), value.to_owned())),
        _ => Err("--env has no name or no value: write --env NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_split_as_in_a_shell() {
        let read = |text| words(text).map(|words| words.0);
        assert_eq!(
            read("python3 -m 'my lambda' app.\"handler\"").unwrap(),
            ["python3", "-m", "my lambda", "app.handler"]
        );
        assert_eq!(read(r"my\ worker  -v").unwrap(), ["my worker", "-v"]);
        for (text, named) in [("", "empty"), ("  ", "empty"), ("sh -c 'exit", "quote"), ("sh \\", "backslash")] {
            assert!(read(text).unwrap_err().contains(named), "{text}");
        }
    }
}
