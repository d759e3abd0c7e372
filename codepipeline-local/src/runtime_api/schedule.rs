//! A schedule that wakes a function, as an EventBridge rule does.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::{Function, FunctionSettings, Invocation};
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
                let FunctionSettings { account_id, region, .. } = function.settings();
                let event = scheduled_event(Clock::machine().now(), account_id, region);
                report(function.invoke(&event).await);
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
pub fn scheduled_event(now: Timestamp, account_id: &str, region: &str) -> Value {
    json!({
        "version": "0",
        "id": random_uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account_id,
        "time": iso_seconds(now),
        "region": region,
        "resources": [format!("arn:aws:events:{region}:{account_id}:rule/codepipeline-local")],
        "detail": {},
    })
}
