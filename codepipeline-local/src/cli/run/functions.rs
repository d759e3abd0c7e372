//! The Lambda functions of `--function`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::flags::Wanted;
use super::names::key_of;
use super::plan::Plan;
use super::runner::Runner;
use super::screen::Screen;
use super::setup;
use crate::event_pattern::EventPattern;
use crate::runtime_api::{Function, FunctionSettings, Functions as ByName, Invocation, Output, Schedule, Waking};
use crate::server::Emulator;
use crate::template::Project;

/// How many invocations of a function run at a time.
const CONCURRENCY: NonZeroU16 = NonZeroU16::MIN.saturating_add(9);
/// The longest that an invocation may take: Lambda's limit.
const TIMEOUT: Duration = Duration::from_secs(900);
/// How often a function that polls is invoked, in addition to the events of its actions.
const SCHEDULE: Duration = Duration::from_secs(5);

/// The functions that the emulator invokes until they are stopped.
pub(super) struct Functions {
    functions: Vec<Function>,
    waking: Waking,
    schedule: Option<Schedule>,
    shown: Vec<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

impl Functions {
    /// Subscribes the functions to the emulator's jobs, each by its name in the pipeline, and the one that polls to the events.
    pub(super) fn start(
        emulator: &Emulator,
        (plan, project, wanted): (&Plan, &Project, &Wanted),
        environment: &BTreeMap<String, String>,
        screen: &Screen,
    ) -> io::Result<Self> {
        let mut shown = Vec::new();
        let mut functions = BTreeMap::new();
        for (name, command) in &wanted.functions {
            let (lines, received) = mpsc::unbounded_channel();
            shown.push(tokio::spawn(show(received, name.clone(), screen.clone())));
            let engine = setup::settings();
            let settings = FunctionSettings {
                name: name.clone(),
                command: command.0.clone(),
                account_id: engine.account_id,
                region: engine.region,
                env: environment.clone(),
                timeout: TIMEOUT,
                memory_mb: 1024,
                output: Output::Lines(lines),
            };
            functions.insert(name.clone(), Function::with_concurrency(settings, CONCURRENCY)?);
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
        let stopping = Arc::new(AtomicBool::new(false));
        let report = {
            let (screen, stopping) = (screen.clone(), Arc::clone(&stopping));
            // Invocations that end because the run ends are not failures.
            move |name: &str, end| {
                if let Some(failure) = failure(end).filter(|_| !stopping.load(Ordering::Relaxed)) {
                    screen.output(name, &failure);
                }
            }
        };
        let schedule = polling.map(|(name, function)| {
            let (name, report) = (name.clone(), report.clone());
            Schedule::start(function.clone(), SCHEDULE, move |end| report(&name, end))
        });
        let waking = Waking::by_name(emulator, by_name, report);
        Ok(Self { functions: functions.into_values().collect(), waking, schedule, shown, stopping })
    }

    /// Ends the functions' invocations and processes. Their output is shown no longer. Dropping the returned future leaves running
    /// invocations to the end of the runtime, which kills them.
    pub(super) async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop((self.waking, self.schedule));
        for shown in self.shown {
            shown.abort();
        }
        Function::stop_all(self.functions).await;
    }
}

async fn show(mut lines: mpsc::UnboundedReceiver<String>, name: String, screen: Screen) {
    while let Some(line) = lines.recv().await {
        screen.output(&name, &readable(&line));
    }
}

/// The message of a line of Lambda's JSON log format, with its level unless that is INFO. Other lines stay as they are.
fn readable(line: &str) -> String {
    let fields = serde_json::from_str::<Value>(line).unwrap_or_default();
    match (&fields["level"], &fields["message"]) {
        (Value::String(level), Value::String(message)) if level == "INFO" => message.clone(),
        (Value::String(level), Value::String(message)) => format!("{level} {message}"),
        _ => line.to_owned(),
    }
}

/// Why an invocation failed. `None` if it did not.
fn failure(end: io::Result<Invocation>) -> Option<String> {
    match end {
        Ok(Invocation::Answered(_)) => None,
        Ok(Invocation::Failed { error_type, message }) => {
            Some(format!("the invocation failed: {error_type}: {message}"))
        }
        Ok(Invocation::TimedOut) => Some("the invocation was killed at its timeout of 15 min".to_owned()),
        Ok(Invocation::Exited { status }) => Some(format!("the process ended without a response ({status})")),
        Err(error) => Some(error.to_string()),
    }
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
