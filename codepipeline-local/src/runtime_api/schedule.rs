//! A schedule that wakes a function, as an EventBridge rule does.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::{Function, Invocation};
use crate::clock::Clock;
use crate::dates::iso_seconds;
use crate::ids::random_uuid;
use crate::types::Timestamp;

/// Invokes a function again and again, until it is dropped.
pub struct Schedule(JoinHandle<()>);

impl Schedule {
    /// Invokes the function at once and then every `period`, each time with a [`scheduled_event`], and tells `report` how it ended. A
    /// time that passes while the function is at work is left out.
    pub fn start(
        function: Function,
        period: Duration,
        mut report: impl FnMut(io::Result<Invocation>) + Send + 'static,
    ) -> Self {
        Self(tokio::spawn(async move {
            // An interval can't be zero; of so short a one the function's own duration is all that counts.
            let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                report(function.invoke(&scheduled_event(Clock::machine().now())).await);
            }
        }))
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The event of an EventBridge rule with a schedule (EventBridge User Guide, "Events from Amazon EventBridge Scheduled rules").
pub fn scheduled_event(now: Timestamp) -> Value {
    json!({
        "version": "0",
        "id": random_uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": iso_seconds(now),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/codepipeline-local"],
        "detail": {},
    })
}
