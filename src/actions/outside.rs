//! Timeouts of work that goes to a service and may take several jobs.

use std::time::Duration;

use super::LONGEST_RUN;
use super::kind::{Configured, Part};
use crate::settings::whole_seconds;

/// CodePipeline's own limit for custom actions (user guide, "Quotas"): 24 hours. CodePipeline counts from the start of the action,
/// which is earlier than the first job, so a timeout of more than [`LONGEST_RUN`] is lowered to that.
const LONGEST_SECONDS: u64 = 24 * 60 * 60;

/// `timeoutSeconds` of work outside, which counts over all jobs of a run.
pub(super) struct Overall {
    used: Duration,
    configured: Duration,
}

impl Overall {
    pub(super) fn parse(part: &mut Part<'_>) -> Self {
        let default = LONGEST_RUN.as_secs();
        let seconds = whole_seconds(part.timeout, default).filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds));
        if seconds.is_none() {
            part.wrong_timeout(format_args!(
                "must be a whole number of seconds from 1 to {LONGEST_SECONDS}, CodePipeline's own limit"
            ));
        }
        let configured = Duration::from_secs(seconds.unwrap_or(default));
        Self { used: configured.min(LONGEST_RUN), configured }
    }

    /// The action with this timeout.
    pub(super) fn of(self, configured: Configured) -> Configured {
        let lowered_from = (self.configured > self.used).then_some(self.configured);
        Configured { overall: self.used, lowered_from, ..configured }
    }
}

/// Checks that a turn fits into the function's timeout.
pub(super) fn check_turn(turn: Duration, part: &mut Part<'_>) {
    let settings = part.settings;
    let needed = settings.polling + turn + settings.staging + settings.reporting;
    if needed > settings.function_timeout {
        let (needed, function) = (needed.as_secs(), settings.function_timeout.as_secs());
        part.mistake(
            "",
            format_args!(
                "needs {needed} s at a time, polling, staging (STAGING_TIMEOUT) and reporting included, but the function's \
                 timeout is {function} s (FUNCTION_TIMEOUT)"
            ),
        );
    }
}
