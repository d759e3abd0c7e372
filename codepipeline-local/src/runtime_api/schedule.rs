//! Invokes a function on a schedule, as an EventBridge rule does.

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

/// Invokes a function periodically until it is dropped.
pub struct Schedule(JoinHandle<()>);

impl Schedule {
    /// Invokes the function at once and then every `period` with a [`scheduled_event`], and passes each end to `report`. A tick that is
    /// due while the function works is skipped.
    pub fn start(
        function: Function,
        period: Duration,
        mut report: impl FnMut(io::Result<Invocation>) + Send + 'static,
    ) -> Self {
        Self(tokio::spawn(async move {
            // An interval can't be zero. With one this short, the function's duration sets the pace.
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
