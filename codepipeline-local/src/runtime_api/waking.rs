//! Invokes a function for events that match a pattern and for jobs of Lambda Invoke actions.

use std::io;

use tokio::task::JoinHandle;

use super::{Function, Invocation};
use crate::event_pattern::EventPattern;
use crate::server::Emulator;

/// Invokes a function with an emulator's events and jobs until it is dropped.
pub struct Waking(JoinHandle<()>);

impl Waking {
    /// Invokes the function with each event that matches the pattern, and with each job of a Lambda Invoke action. The action may
    /// name another function. Each invocation is asynchronous, and its end is passed to `report`.
    pub fn start(
        emulator: &Emulator,
        function: Function,
        pattern: EventPattern,
        report: impl FnOnce(io::Result<Invocation>) + Clone + Send + 'static,
    ) -> Self {
        let (mut events, mut jobs) = (emulator.events(), emulator.job_invocations());
        Self(tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    Some(event) = events.recv() => Some(event).filter(|event| pattern.matches(event)),
                    Some(job) = jobs.recv() => Some(job.event),
                    else => return,
                };
                if let Some(event) = event {
                    function.invoke_async(event, report.clone());
                }
            }
        }))
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.0.abort();
    }
}
