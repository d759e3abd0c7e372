//! Invokes functions for events that match a pattern and for jobs of Lambda Invoke actions.

use std::collections::BTreeMap;
use std::io;

use tokio::task::JoinHandle;

use super::{Function, Invocation};
use crate::event_pattern::EventPattern;
use crate::server::Emulator;

/// Invokes functions with an emulator's events and jobs until it is dropped.
pub struct Waking(JoinHandle<()>);

/// The functions of an emulator.
#[derive(Default)]
pub struct Functions {
    /// The functions that jobs invoke by name.
    pub named: BTreeMap<String, Function>,
    /// The function of the events that match the pattern, and of jobs that name no other function.
    pub other: Option<(Function, EventPattern)>,
}

impl Waking {
    /// Invokes the function with each event that matches the pattern, and with each job of a Lambda Invoke action. The action may
    /// name another function. Each invocation is asynchronous, and its end is passed to `report`.
    pub fn start(
        emulator: &Emulator,
        function: Function,
        pattern: EventPattern,
        report: impl FnOnce(io::Result<Invocation>) + Clone + Send + 'static,
    ) -> Self {
        let functions = Functions { named: BTreeMap::new(), other: Some((function, pattern)) };
        Self::by_name(emulator, functions, move |_, _, end| report(end))
    }

    /// The same for several functions. `report` also gets the function's name, and the id of the job that invoked it.
    pub fn by_name(
        emulator: &Emulator,
        functions: Functions,
        report: impl FnOnce(&str, Option<&str>, io::Result<Invocation>) + Clone + Send + 'static,
    ) -> Self {
        let (mut events, mut jobs) = (emulator.events(), emulator.job_invocations());
        Self(tokio::spawn(async move {
            let Functions { named, other } = functions;
            loop {
                let (function, event) = tokio::select! {
                    Some(event) = events.recv() => match &other {
                        Some((function, pattern)) if pattern.matches(&event) => (function, event),
                        _ => continue,
                    },
                    Some(job) = jobs.recv() => {
                        let name = bare_name(&job.function);
                        match named.get(name).or(other.as_ref().map(|(function, _)| function)) {
                            Some(function) => (function, job.event),
                            None => {
                                tracing::warn!(
                                    "a Lambda Invoke action names the function {name}, which does not run here, so the action will \
                                     time out; start it with --function {name}='COMMAND'"
                                );
                                continue;
                            }
                        }
                    },
                    else => return,
                };
                let (name, report) = (function.settings().name.clone(), report.clone());
                let job = event["CodePipeline.job"]["id"].as_str().map(str::to_owned);
                function.invoke_async(event, move |end| report(&name, job.as_deref(), end));
            }
        }))
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The name in a function's name, ARN or partial ARN, without a version or alias (Lambda API reference, "FunctionName").
fn bare_name(function: &str) -> &str {
    let behind = function.split_once(":function:").map_or(function, |(_, name)| name);
    // `123456789012:function:name` and `name:alias` have no more colons in front.
    behind.split(':').next().unwrap_or(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_is_found_by_name_and_arn() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:web-check";
        for function in ["web-check", "web-check:live", "123456789012:function:web-check", arn, &format!("{arn}:7")] {
            assert_eq!(bare_name(function), "web-check", "{function}");
        }
    }
}
