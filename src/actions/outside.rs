//! Timeouts of work that goes to a service and may take several jobs.

use std::time::Duration;

use super::LONGEST_RUN;
use super::kind::Part;
use crate::settings::whole_seconds;

/// CodePipeline's own limit for custom actions (user guide, "Quotas"): 24 hours. CodePipeline counts from the start of the action,
/// which is earlier than the first job, so a timeout of more than [`LONGEST_RUN`] is lowered to that later.
const LONGEST_SECONDS: u64 = 24 * 60 * 60;

/// `timeoutSeconds` of work outside, which counts over all jobs of a run.
pub(super) fn overall(part: &mut Part<'_>) -> Duration {
    let default = LONGEST_RUN.as_secs();
    let seconds = whole_seconds(part.timeout, default).filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds));
    if seconds.is_none() {
        part.wrong_timeout(format_args!(
            "must be a whole number of seconds from 1 to {LONGEST_SECONDS}, CodePipeline's own limit"
        ));
    }
    Duration::from_secs(seconds.unwrap_or(default))
}

/// Checks that a turn fits into the function's timeout. `member` is the member of the part that lengthens a turn, if it has one.
pub(super) fn check_turn(turn: Duration, member: Option<&str>, part: &mut Part<'_>) {
    let settings = part.settings;
    let needed = settings.polling + turn + settings.staging + settings.reporting;
    if needed > settings.function_timeout {
        let (needed, function) = (needed.as_secs(), settings.function_timeout.as_secs());
        let or_member = member.map(|member| format!(" or {member}")).unwrap_or_default();
        part.mistake(
            "",
            format_args!(
                "one turn needs {needed} s with polling, staging (STAGING_TIMEOUT) and reporting, but the function's timeout is \
                 {function} s (FUNCTION_TIMEOUT); raise FUNCTION_TIMEOUT, or lower STAGING_TIMEOUT{or_member}"
            ),
        );
    }
}

#[cfg(all(test, feature = "state-machine"))]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::actions::kind::tests::Sample;
    use crate::actions::state_machine::KIND;

    fn sample(timeout: Option<Value>) -> Sample<'static> {
        let arn = "arn:aws:states:eu-central-1:111122223333:stateMachine:Rollout";
        Sample { timeout, ..Sample::of(json!(arn)) }
    }

    #[test]
    fn timeout_is_at_most_codepipelines_own() {
        let configured = |timeout| Ok::<_, String>(sample(timeout).parse(&KIND)?.overall.as_secs());
        assert_eq!(configured(None), Ok(85_500));
        for (seconds, expected) in [(json!(1), 1), (json!(85_501), 85_501), (json!("86400"), 86_400)] {
            assert_eq!(configured(Some(seconds)), Ok(expected));
        }
        let message = configured(Some(json!(86_401))).unwrap_err();
        assert!(
            message.contains("entry.timeoutSeconds: must be a whole number of seconds from 1 to 86400"),
            "{message}"
        );
    }

    #[test]
    fn turn_must_fit_into_the_function() {
        let mut sample = sample(None);
        sample.settings.function_timeout = Duration::from_secs(110);
        assert!(sample.parse(&KIND).is_ok());
        sample.settings.function_timeout = Duration::from_secs(109);
        let message = sample.mistakes(&KIND);
        assert!(message.contains("part: one turn needs 110 s") && message.ends_with("STAGING_TIMEOUT"), "{message}");
    }
}
