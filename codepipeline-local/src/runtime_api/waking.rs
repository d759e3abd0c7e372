//! What wakes a function beside its schedule: events that a pattern takes, and jobs of Lambda Invoke actions.

use std::io;

use tokio::task::JoinHandle;

use super::{Function, Invocation};
use crate::event_pattern::EventPattern;
use crate::server::Emulator;

/// Invokes a function with what an emulator tells, until it is dropped.
pub struct Waking(JoinHandle<()>);

impl Waking {
    /// Invokes the function with each event that the pattern takes and with each job of a Lambda Invoke action, whatever
    /// function that names: each an asynchronous invocation of its own, and `report` is told how it ended.
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
