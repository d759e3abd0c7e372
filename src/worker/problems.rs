//! Logs polls that fail or are not sent, once per invocation and type.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Summary;
use super::throttles::Throttles;
use crate::actions::Served;
use crate::lifecycle::Shortage;
use crate::queue::QueueError;

/// The problems that one invocation has logged.
#[derive(Default)]
pub(super) struct Problems {
    /// Polls that CodePipeline throttled, by action type and `queryParam`.
    throttled: BTreeSet<String>,
    /// How many of them have been throttled for minutes.
    pub(super) throttled_for_long: usize,
    /// Whether the worker took no job that needs files.
    pub(super) low_disk: bool,
}

impl Problems {
    /// Counts and logs a poll that failed. A throttled poll is repeated by the next invocation, if not by this one.
    pub(super) fn poll_failed(
        &mut self,
        served: &Served,
        error: &QueueError,
        throttles: &Throttles,
        summary: &mut Summary,
    ) {
        let action_type = &served.action_type;
        match error {
            QueueError::Throttled { .. } => {
                summary.throttled_polls += 1;
                self.throttled(served, error, throttles);
            }
            QueueError::Unavailable { .. } => {
                summary.failed_polls += 1;
                tracing::error!(actionType = %action_type, %error, "CodePipeline did not answer the poll");
            }
            refused => {
                summary.unpollable += 1;
                let query = served.query_param.as_ref().map(|(key, _)| key);
                tracing::error!(
                    actionType = %action_type,
                    queryParam = query,
                    error = %refused,
                    "the action type can't be polled, so its actions wait until they time out"
                );
            }
        }
    }

    fn throttled(&mut self, served: &Served, error: &QueueError, throttles: &Throttles) {
        let action_type = &served.action_type;
        let query = served.query_param.as_ref().map_or("", |(_, value)| value);
        // Ten throttled polls in one invocation count as one.
        if !self.throttled.insert(format!("{action_type} {query}")) {
            tracing::debug!(actionType = %action_type, %error, "the poll was throttled again");
        } else if throttles.throttled(served) {
            self.throttled_for_long += 1;
            tracing::error!(
                actionType = %action_type,
                %error,
                "polls have been throttled for minutes: let fewer workers poll, poll less often, or ask AWS for a higher rate"
            );
        } else {
            tracing::warn!(actionType = %action_type, %error, "the poll was throttled");
        }
    }

    /// Logs that the invocation is too short for a job of the type.
    pub(super) fn too_little_time(&mut self, served: &Served, left: Duration, needed: Duration) {
        let (left, needed) = (left.as_secs(), needed.as_secs());
        tracing::error!(
            actionType = %served.action_type,
            error = format!(
                "a job of this type needs {needed} s with staging and reporting, and the invocation has {left} s: raise the \
                 function's timeout or lower timeoutSeconds"
            ),
            "the action type can't be polled, so its actions wait until they time out"
        );
    }

    /// Logs that the disk has too little room for jobs that need files.
    pub(super) fn low_disk(&mut self, shortage: &Shortage) {
        if !std::mem::replace(&mut self.low_disk, true) {
            tracing::error!(
                freeBytes = shortage.free,
                minFreeBytes = shortage.needed,
                error = %shortage,
                "took no job that needs files"
            );
        }
    }
}
