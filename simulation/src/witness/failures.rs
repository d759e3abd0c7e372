//! The failures that a job may be reported with.

use crate::work::{Ending, PLANNED};

/// The codes of a job that fails because its workers died.
const DIED: [&str; 2] = ["WorkerDied", "WorkerDiedRepeatedly"];
pub(super) const PANICKED: &str = "ActionPanicked";
const TIMEOUT: &str = "ActionTimeout";
const DEADLINE: &str = "InvocationDeadline";
/// The inputs came too slowly.
const SLOW: &str = "StagingTimeout";
/// The codes of failed staging where requests meet faults.
const STAGING: [&str; 3] = ["ArtifactStoreUnavailable", "ArtifactCredentialsExpired", "StagingInterrupted"];

/// A reported failure.
pub(super) struct Failed<'a> {
    pub(super) message: &'a str,
    /// Whether the job's previous worker died.
    pub(super) died: bool,
    /// The turn of the worker that reported. `None` if its action never ran.
    pub(super) run: Option<Ran>,
    /// Whether its kind stages files.
    pub(super) files: bool,
    /// Whether faults may have hit that worker's requests.
    pub(super) disturbed: bool,
}

/// One turn of an action.
#[derive(Clone, Copy)]
pub(super) struct Ran {
    /// The action's result; `None` if it was cut off.
    pub(super) returned: Option<Ending>,
    /// Whether the seed made it take longer than its timeout.
    pub(super) overlong: bool,
}

impl Failed<'_> {
    /// The code that the message begins with.
    pub(super) fn code(&self) -> &str {
        self.message.split_once(": ").map_or("", |(code, _)| code)
    }

    /// Why the job should not have failed with this code, if it should not.
    pub(super) fn unjust(&self) -> Option<String> {
        let Self { message, .. } = self;
        if DIED.contains(&self.code()) {
            return (!self.died).then(|| format!("failed with '{message}' although its previous worker did not die"));
        }
        if self.is_just() {
            return None;
        }
        let returned = self.run.map(|run| run.returned);
        Some(match returned {
            Some(Some(ending)) => format!("failed with '{message}' although its action returned {ending:?}"),
            Some(None) => {
                format!("failed with '{message}' although its action was cut off for another reason, if at all")
            }
            None => format!("failed with '{message}' before its action ran, without a reason for it"),
        })
    }

    fn is_just(&self) -> bool {
        let is = |code: &str| self.code() == code;
        let out_of_time = self.disturbed && is(DEADLINE);
        let not_staged = self.disturbed && self.files && (is(DEADLINE) || STAGING.contains(&self.code()));
        match self.run {
            // The worker was staging in, or fetching the job's details.
            None => out_of_time || not_staged || (self.disturbed && self.files && is(SLOW)),
            Some(Ran { returned: None, overlong }) => overlong && is(TIMEOUT) || out_of_time,
            Some(Ran { returned: Some(Ending::Failure), .. }) => is(PLANNED.as_str()),
            Some(Ran { returned: Some(Ending::Panic), .. }) => is(PANICKED),
            // The worker was staging out.
            Some(Ran { returned: Some(Ending::Success), .. }) => not_staged,
            Some(Ran { returned: Some(Ending::Continuation), .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGING_FAILED: &str = STAGING[0];
    const TOO_LARGE: &str = "ArtifactTooLarge";
    const FAILED: &str = PLANNED.as_str();

    fn is_just(code: &str, run: Option<Ran>, files: bool, disturbed: bool) -> bool {
        let message = format!("{code}: {PANICKED}: the reason");
        Failed { message: &message, died: false, run, files, disturbed }.unjust().is_none()
    }

    fn returned(ending: Ending) -> Option<Ran> {
        Some(Ran { returned: Some(ending), overlong: false })
    }

    #[test]
    fn a_successful_action_without_files_never_fails() {
        for ending in [Ending::Success, Ending::Continuation] {
            for code in [DEADLINE, TIMEOUT, PANICKED, FAILED, STAGING_FAILED, "Other"] {
                assert!(!is_just(code, returned(ending), false, true), "{ending:?}, {code}");
            }
        }
    }

    #[test]
    fn staging_fails_only_with_its_codes_and_after_faults() {
        let well = returned(Ending::Success);
        assert!(is_just(STAGING_FAILED, well, true, true));
        assert!(is_just(STAGING_FAILED, None, true, true));
        assert!(is_just(SLOW, None, true, true));
        assert!(
            !is_just(SLOW, None, true, false) && !is_just(SLOW, None, false, true) && !is_just(SLOW, well, true, true)
        );
        assert!(!is_just(STAGING_FAILED, well, true, false));
        assert!(!is_just(TOO_LARGE, well, true, true));
        assert!(!is_just("Other", well, true, true));
        assert!(!is_just(STAGING_FAILED, Some(Ran { returned: None, overlong: true }), true, true));
    }

    #[test]
    fn only_overlong_actions_time_out() {
        let cut_off = |overlong| Some(Ran { returned: None, overlong });
        assert!(is_just(TIMEOUT, cut_off(true), false, false));
        assert!(!is_just(TIMEOUT, cut_off(false), false, true));
        assert!(!is_just(TIMEOUT, None, false, true));
        assert!(is_just(DEADLINE, cut_off(false), false, true));
        assert!(!is_just(DEADLINE, cut_off(true), false, false));
    }

    #[test]
    fn a_failed_action_fails_with_its_own_code() {
        assert!(is_just(FAILED, returned(Ending::Failure), false, true));
        assert!(is_just(PANICKED, returned(Ending::Panic), false, true));
        assert!(!is_just(PANICKED, returned(Ending::Failure), false, true));
        assert!(!is_just(FAILED, returned(Ending::Panic), false, true));
        assert!(!is_just(DEADLINE, returned(Ending::Failure), true, true));
        assert!(!is_just(PANICKED, None, false, true));
    }

    #[test]
    fn a_worker_death_needs_a_dead_worker() {
        let failed = |died| Failed {
            message: "WorkerDied: the reason",
            died,
            run: returned(Ending::Success),
            files: false,
            disturbed: true,
        };
        assert!(failed(true).unjust().is_none());
        assert!(failed(false).unjust().is_some());
    }
}
