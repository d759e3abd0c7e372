//! Failures of a job whose command could not get its role.

use super::arn::RoleArn;
use super::calls::{CallError, Cause};
use super::request::Tags;
use crate::job::{Failure, FailureCode, FailureKind};

const ROLE_DENIED: FailureCode = FailureCode::new("RoleDenied");
const ROLE_REFUSED: FailureCode = FailureCode::new("RoleRefused");
const ROLE_UNAVAILABLE: FailureCode = FailureCode::new("RoleUnavailable");

/// The failure for a call without credentials. The message names the role and what to change.
pub(super) fn of_call(error: &CallError, role: &RoleArn, seconds: i32, tags: &Tags<'_>) -> Failure {
    let CallError { cause, reason } = error;
    let role = role.as_str();
    let refused = (FailureKind::ConfigurationError, ROLE_REFUSED);
    let ((kind, code), advice) = match cause {
        Cause::Denied => ((FailureKind::PermissionError, ROLE_DENIED), denied(role, tags)),
        Cause::TaggingDenied => {
            let advice = format!(
                "allow sts:TagSession where sts:AssumeRole is allowed, in the policy of the function's role and in the trust \
                 policy of {role}; {}",
                conditions(tags)
            );
            ((FailureKind::PermissionError, ROLE_DENIED), advice)
        }
        Cause::Credentials => {
            let advice = "STS does not accept the function's own credentials: check the function's role and its region";
            ((FailureKind::PermissionError, ROLE_DENIED), advice.to_owned())
        }
        Cause::RegionDisabled => {
            let advice = "activate STS for the function's region in the account settings of IAM";
            (refused, advice.to_owned())
        }
        Cause::Duration => {
            let advice = format!(
                "the session would last {seconds} s: raise the role's maximum session duration to that, or lower timeoutSeconds"
            );
            (refused, advice)
        }
        Cause::Tags => {
            let advice =
                "its session tags are too large together with those of the function's own session: pass fewer tags on";
            (refused, advice.to_owned())
        }
        Cause::Refused => (refused, "check `role` in ACTIONS".to_owned()),
        Cause::Unavailable | Cause::NoTime => {
            let advice = "run the action again later; a function in a VPC needs a way to STS, such as the interface endpoint of STS";
            ((FailureKind::SystemUnavailable, ROLE_UNAVAILABLE), advice.to_owned())
        }
    };
    Failure::new(kind, code, format!("could not assume the role {role} for the command ({reason}): {advice}"))
}

fn denied(role: &str, tags: &Tags<'_>) -> String {
    format!(
        "allow sts:AssumeRole and sts:TagSession on it in the policy of the function's role, and allow both to the function's role in \
         the trust policy of {role}; {}",
        conditions(tags)
    )
}

/// The tags that the conditions of a trust policy must accept.
fn conditions(tags: &Tags<'_>) -> String {
    if tags.is_empty() {
        return "the session has no tags, because the job does not name its pipeline, so conditions on tags refuse it"
            .to_owned();
    }
    let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("conditions on tags must accept {}", tags.join(", "))
}
