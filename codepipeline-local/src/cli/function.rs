//! The flags of the Lambda functions that `serve` runs.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::environment::environment;
use super::numbers;
use super::shown::Show;
use super::words::{Words, words};
use crate::durations::{OrNever, parse_some, parse_some_or_never};
use crate::event_pattern::EventPattern;
use crate::runtime_api::{Function, FunctionSettings, Functions, Invocation, Output, Schedule, Waking, check_command};
use crate::server::Emulator;

#[derive(Args)]
#[command(next_help_heading = "The function")]
pub(super) struct FunctionFlags {
    /// Command of a Lambda bootstrap to run, quoted as in a shell. A schedule, events of actions and jobs of Lambda Invoke actions
    /// invoke it. The jobs may name any function. With NAME=COMMAND, only the jobs that name this function invoke it, and not the function
    /// without a name. Repeatable with names
    #[arg(long, value_name = "[NAME=]COMMAND", value_parser = command)]
    function: Vec<FunctionCommand>,
    /// How often to invoke the function without a name, the first time at once; with never, only events and jobs invoke it
    #[arg(long, value_name = "DURATION", value_parser = parse_some_or_never, default_value = "60s", requires = "function")]
    schedule: OrNever,
    /// How long an invocation may take
    #[arg(long, value_name = "DURATION", value_parser = parse_some, default_value = "900s", requires = "function")]
    timeout: Duration,
    /// How many invocations of a function run at a time, each in its own process; more wait their turn
    #[arg(long, value_name = "NUMBER", value_parser = numbers::from_1_to_65535, default_value = "10", requires = "function")]
    max_concurrency: NonZeroU16,
    /// Which of CodePipeline's events invoke the function without a name: the pattern of an EventBridge rule in JSON [default: STARTED, FAILED,
    /// ABANDONED and CANCELED of custom and third-party actions]
    #[arg(long, value_name = "PATTERN", value_parser = EventPattern::parse, requires = "function")]
    event_pattern: Option<EventPattern>,
    /// A variable of the functions' environment. Repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "function")]
    env: Vec<String>,
}

/// A function's command, and the name that jobs invoke it by.
#[derive(Clone)]
struct FunctionCommand {
    name: Option<String>,
    words: Words,
}

/// Functions whose commands were checked.
pub(super) struct Ready {
    /// By name. The key of the function without a name is `None`.
    functions: BTreeMap<Option<String>, FunctionSettings>,
    schedule: Option<Duration>,
    max_concurrency: NonZeroU16,
    event_pattern: EventPattern,
}

/// Functions that the emulator invokes until they are stopped.
pub(super) struct Running {
    functions: Vec<Function>,
    waking: Waking,
    schedule: Option<Schedule>,
    stopping: Arc<AtomicBool>,
}

impl FunctionFlags {
    /// Checks the flags before the emulator starts. Returns `None` if no function is given.
    pub(super) fn ready(self, account_id: &str, region: &str) -> Result<Option<Ready>, String> {
        let env: BTreeMap<_, _> = self.env.iter().map(|text| variable(text)).collect::<Result<_, _>>()?;
        let mut functions = BTreeMap::new();
        for FunctionCommand { name, words } in self.function {
            let shown = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            check_command(&words.0, &env).map_err(|why| format!("--function{shown}: {why}"))?;
            let settings = FunctionSettings {
                name: name.clone().unwrap_or_else(|| "function".to_owned()),
                command: words.0,
                account_id: account_id.to_owned(),
                region: region.to_owned(),
                env: env.clone(),
                timeout: self.timeout,
                memory_mb: 1024,
                output: Output::Inherit,
            };
            if functions.insert(name.clone(), settings).is_some() {
                return Err(match name {
                    Some(name) => format!("--function {name} is given twice: give the commands different names"),
                    None => "--function is given twice without a name: write --function NAME='COMMAND'".to_owned(),
                });
            }
        }
        Ok((!functions.is_empty()).then(|| Ready {
            functions,
            schedule: self.schedule.0,
            max_concurrency: self.max_concurrency,
            event_pattern: self.event_pattern.unwrap_or_else(EventPattern::action_events),
        }))
    }
}

impl Ready {
    /// Starts the schedule and subscribes the functions to the emulator's events and jobs. `show` gets a function's name and each line.
    pub(super) fn start(self, emulator: &Emulator, show: &Show) -> io::Result<Running> {
        let stopping = Arc::new(AtomicBool::new(false));
        let report = {
            let stopping = Arc::clone(&stopping);
            // Don't log invocations that end because the emulator ends.
            move |name: &str, _: Option<&str>, end| {
                if !stopping.load(Ordering::Relaxed) {
                    report(name, end);
                }
            }
        };
        let mut functions = Functions::default();
        let mut schedule = None;
        for (name, mut settings) in self.functions {
            settings.env = environment(emulator, settings.env);
            let (show, called) = (Arc::clone(show), settings.name.clone());
            settings.output = Output::Each(Arc::new(move |line| show(&called, line)));
            let function = Function::with_concurrency(settings, self.max_concurrency)?;
            let Some(name) = name else {
                let report = report.clone();
                schedule = self
                    .schedule
                    .map(|period| Schedule::start(function.clone(), period, move |end| report("function", None, end)));
                functions.other = Some((function, self.event_pattern.clone()));
                continue;
            };
            functions.named.insert(name, function);
        }
        let other = functions.other.as_ref().map(|(function, _)| function);
        let all = functions.named.values().chain(other).cloned().collect();
        let waking = Waking::by_name(emulator, functions, report);
        Ok(Running { functions: all, waking, schedule, stopping })
    }
}

impl Running {
    /// Ends the functions' invocations and processes. Dropping the returned future leaves running invocations to the end of the runtime,
    /// which kills them.
    pub(super) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop((self.schedule, self.waking));
        Function::stop_all(self.functions).await;
    }
}

fn report(name: &str, end: io::Result<Invocation>) {
    // The function without a name is the only one with this name, unless the user gave it to another one.
    let function = if name == "function" { "the function".to_owned() } else { format!("the function {name}") };
    match end {
        Ok(Invocation::Answered(answer)) => tracing::info!("{function} returned {answer}"),
        Ok(Invocation::Failed { error_type, message }) => {
            tracing::warn!("{function} failed: {error_type}: {message}");
        }
        Ok(Invocation::TimedOut) => tracing::warn!("{function} was killed at its timeout"),
        Ok(Invocation::Exited { status }) => {
            tracing::warn!("{function}'s process ended without a response: {status}");
        }
        Err(error) => tracing::error!("{error}"),
    }
}

/// Reads `COMMAND` or `NAME=COMMAND`. A program's path has other characters before `=` than a name (Lambda API reference,
/// "FunctionName").
fn command(text: &str) -> Result<FunctionCommand, String> {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    match text.split_once('=').filter(|(name, _)| is_name(name)) {
        Some((name, command)) => Ok(FunctionCommand { name: Some(name.to_owned()), words: words(command)? }),
        None => Ok(FunctionCommand { name: None, words: words(text)? }),
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
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        flags: FunctionFlags,
    }

    type Named = (Option<String>, Vec<String>);

    fn ready(functions: &[&str]) -> Result<Vec<Named>, String> {
        let flags = functions.iter().flat_map(|function| ["--function", function]);
        let flags = Flags::try_parse_from(["serve"].into_iter().chain(flags)).map_err(|error| error.to_string())?;
        let ready = flags.flags.ready("123456789012", "us-east-1")?;
        let functions = ready.map(|ready| ready.functions).unwrap_or_default();
        Ok(functions.into_iter().map(|(name, settings)| (name, settings.command)).collect())
    }

    #[test]
    fn functions_have_names_or_none() {
        assert_eq!(ready(&[]).unwrap(), []);
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let found = ready(&["sh -c a=b", "web-check=sh x", "Other=sh"]).unwrap();
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            found,
            [(None, words("sh -c a=b")), (named("Other"), words("sh")), (named("web-check"), words("sh x"))]
        );
    }

    #[test]
    fn wrong_functions_are_named_with_a_fix() {
        for (functions, parts) in [
            (&["sh", "sh"][..], ["twice without a name", "NAME='COMMAND'"]),
            (&["a=sh", "a=sh"], ["--function a is given twice", "different names"]),
            (&["a=no-such-program"], ["--function a", "no-such-program"]),
            (&["a="], ["command is empty", "--function"]),
        ] {
            let error = ready(functions).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
