//! Failures that the service causes.

use super::exchange::{Body, Unavailable};
use crate::job::{Failure, FailureCode, FailureKind};
use crate::redact::{Piece, Redactor};
use crate::text::keep_start;

const SERVICE_REDIRECTED: FailureCode = FailureCode::new("ServiceRedirected");
const SERVICE_REJECTED_CONFIGURATION: FailureCode = FailureCode::new("ServiceRejectedConfiguration");
const SERVICE_DENIED_SIGNATURE: FailureCode = FailureCode::new("ServiceDeniedSignature");
const SERVICE_NOT_FOUND: FailureCode = FailureCode::new("ServiceNotFound");
const SERVICE_FORGOT_WORK: FailureCode = FailureCode::new("ServiceForgotWork");
const SERVICE_REFUSED_WORK: FailureCode = FailureCode::new("ServiceRefusedWork");
const SERVICE_STATUS_UNEXPECTED: FailureCode = FailureCode::new("ServiceStatusUnexpected");
const SERVICE_UNAVAILABLE: FailureCode = FailureCode::new("ServiceUnavailable");
const SERVICE_RESPONSE_INVALID: FailureCode = FailureCode::new("ServiceResponseInvalid");

/// In characters. A report has 5000 in all.
const LONGEST_QUOTE: usize = 2000;

/// The request that the service answered. The same status may mean different things.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The configured URL, to begin the work.
    ToStart,
    /// The location that the service named, to continue the work.
    ToContinue,
}

/// The failure for a status that is no success and that another try would not change. CodePipeline gets the response's text; the
/// log does not.
pub(super) fn of_status(asked: Asked, status: u16, body: &Body, redactor: &Redactor) -> Failure {
    let (kind, code, meaning) = match (status, asked) {
        (300..=399, _) => (
            FailureKind::ConfigurationError,
            SERVICE_REDIRECTED,
            ", a redirect, which is not followed; configure the final URL, or answer 202 with Location",
        ),
        (400 | 422, _) => {
            (FailureKind::ConfigurationError, SERVICE_REJECTED_CONFIGURATION, ": it refused the action's configuration")
        }
        (401 | 403, _) => (
            FailureKind::PermissionError,
            SERVICE_DENIED_SIGNATURE,
            ": it refused the signature; check that both sides have the same webhook secret and the right time",
        ),
        (404 | 405 | 410, Asked::ToStart) => (
            FailureKind::ConfigurationError,
            SERVICE_NOT_FOUND,
            ": no service takes POST requests at the configured URL",
        ),
        (404 | 410, Asked::ToContinue) => {
            (FailureKind::JobFailed, SERVICE_FORGOT_WORK, ": it no longer knows the work")
        }
        (400..=499, _) => (FailureKind::JobFailed, SERVICE_REFUSED_WORK, ": it refuses the work"),
        _ => (
            FailureKind::JobFailed,
            SERVICE_STATUS_UNEXPECTED,
            ", which the contract does not allow; docs/actions/http.md lists the statuses",
        ),
    };
    let failure = Failure::new(kind, code, format!("the service answered with HTTP status {status}{meaning}"));
    let text = redactor.excerpt(Piece { cut_after: !body.whole, ..Piece::whole(&body.bytes) });
    let quote = keep_start(text.trim(), LONGEST_QUOTE).into_owned();
    Failure { output: (!quote.is_empty()).then_some(quote), ..failure }
}

/// What to check when a service does not respond.
const ADVICE: &str = "check that it runs and that the function can reach it";

/// The failure after the last try without a usable response.
pub(super) fn of_unavailable(unavailable: &Unavailable) -> Failure {
    let Unavailable { tries, reason } = unavailable;
    let message = match tries {
        0 => "no time was left to call the service; run the action again".to_owned(),
        1 => format!("no usable response from the service in 1 try: {reason}; {ADVICE}"),
        _ => format!("no usable response from the service in {tries} tries; the last try: {reason}; {ADVICE}"),
    };
    Failure::new(FailureKind::SystemUnavailable, SERVICE_UNAVAILABLE, message)
}

/// The failure for a response that breaks the contract.
pub(super) fn of_contract(what: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::JobFailed, SERVICE_RESPONSE_INVALID, format!("the service's response is invalid: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(asked: Asked, status: u16) -> Failure {
        of_status(asked, status, &Body { bytes: Vec::new(), whole: true }, &Redactor::default())
    }

    #[test]
    fn each_status_has_its_failure_type() {
        use FailureKind::{ConfigurationError, JobFailed, PermissionError};
        for (status, to_start, to_continue) in [
            (201, JobFailed, JobFailed),
            (302, ConfigurationError, ConfigurationError),
            (400, ConfigurationError, ConfigurationError),
            (401, PermissionError, PermissionError),
            (403, PermissionError, PermissionError),
            (404, ConfigurationError, JobFailed),
            (405, ConfigurationError, JobFailed),
            (409, JobFailed, JobFailed),
            (410, ConfigurationError, JobFailed),
            (422, ConfigurationError, ConfigurationError),
        ] {
            assert_eq!(failure(Asked::ToStart, status).kind, to_start, "{status}");
            assert_eq!(failure(Asked::ToContinue, status).kind, to_continue, "{status}");
            assert!(failure(Asked::ToStart, status).message.contains(&status.to_string()));
            assert!(failure(Asked::ToStart, status).output.is_none());
        }
    }

    #[test]
    fn failure_without_a_usable_response_counts_the_tries() {
        for (tries, expected) in [
            (0, "no time was left to call the service; run the action again"),
            (
                1,
                "no usable response from the service in 1 try: HTTP status 503; check that it runs and that the function can \
                 reach it",
            ),
            (
                4,
                "no usable response from the service in 4 tries; the last try: HTTP status 503; check that it runs and that \
                 the function can reach it",
            ),
        ] {
            let failure = of_unavailable(&Unavailable { tries, reason: "HTTP status 503".to_owned() });
            assert_eq!(failure.message, expected);
            assert_eq!(failure.code, SERVICE_UNAVAILABLE);
        }
    }

    #[test]
    fn response_text_is_cut_masked_and_only_in_the_output() {
        let body = Body { bytes: format!("no hunter2 {}", "x".repeat(9000)).into_bytes(), whole: true };
        let failure = of_status(Asked::ToStart, 400, &body, &Redactor::new(["hunter2"]));
        let output = failure.output.unwrap();
        assert!(output.starts_with("no **** xxx"), "{output}");
        assert_eq!(output.chars().count(), LONGEST_QUOTE);
        assert!(!failure.message.contains("xxx"));
    }
}
