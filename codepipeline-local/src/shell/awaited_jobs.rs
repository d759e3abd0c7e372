//! The jobs whose functions have ended without a result.

use std::sync::Weak;
use std::time::Duration;

use super::shared::Shared;
use crate::types::Timestamp;

/// Finds the jobs of Lambda Invoke actions that wait for their results.
#[derive(Clone)]
pub(crate) struct AwaitedJobs {
    shared: Weak<Shared>,
}

/// A job that waits for its result.
#[derive(Debug)]
pub(crate) struct AwaitedJob {
    pub(crate) stage: String,
    pub(crate) action: String,
    /// The action fails at this moment.
    pub(crate) until: Timestamp,
    /// The time from now to that moment.
    pub(crate) left: Duration,
}

impl AwaitedJobs {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        Self { shared }
    }

    /// The job with this id. `None` if its result has come.
    pub(crate) fn find(&self, job: &str) -> Option<AwaitedJob> {
        let shared = self.shared.upgrade()?;
        let now = shared.clock.now();
        shared.engine.look(|engine| {
            let (action, until) = engine.awaited_result(job)?;
            let left = Duration::from_millis(until.0.saturating_sub(now.0));
            let (stage, action) = (action.stage.clone(), action.declaration.name.clone());
            Some(AwaitedJob { stage, action, until, left })
        })
    }
}
