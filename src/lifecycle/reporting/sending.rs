//! Sends a report, and again in fewer words if CodePipeline refuses it for its content.

use tokio::time::Instant;

use crate::job::{Failure, FailureCode, FailureKind};
use crate::lifecycle::End;
use crate::queue::{Claim, Queue, Reported};
use crate::redact::Redactor;
use crate::report::{FailureReport, Report, report};

const REPORT_REFUSED: FailureCode = FailureCode::new("ReportRefused");

/// The message of a failure report if CodePipeline refuses even the worker's own words.
const LAST_WORDS: &str =
    "the action failed, and CodePipeline refused the worker's message about it: see the log of the function";

/// A report that was sent.
pub(super) struct Sent {
    pub(super) end: End,
    pub(super) response: Response,
    /// Whether the last report was a failure.
    pub(super) was_failure: bool,
}

/// CodePipeline's response to a report.
#[derive(PartialEq)]
pub(super) enum Response {
    /// It accepted the report, or refused even the last words, which it would refuse again.
    Final,
    /// The job is not in progress, perhaps because an earlier try took effect.
    NotInProgress,
    /// None, or one that does not say whether the report took effect.
    Unanswered,
}

/// Sends the report. A report that CodePipeline refuses for its content becomes a failure report, and a refused failure report is
/// sent again in fewer words. A claimed job without a report would hold up its pipeline for hours.
pub(super) async fn send(
    queue: &Queue,
    mut claim: Claim,
    mut next: Report,
    run: &str,
    redactor: &Redactor,
    until: Instant,
    is_kept: bool,
) -> Sent {
    loop {
        let end = end_of(&next);
        let was_failure = matches!(next, Report::Failure(_));
        let sent = |end, response| Sent { end, response, was_failure };
        log_result(&next);
        match queue.report(claim, &next, until).await {
            Ok(Reported::Accepted) => {
                tracing::info!(result = ?end, "reported");
                return sent(end, Response::Final);
            }
            Ok(Reported::AlreadyOver { unanswered_before: true }) => {
                tracing::info!(result = ?end, "reported; an earlier, unanswered try took effect");
                return sent(end, Response::NotInProgress);
            }
            Ok(Reported::AlreadyOver { unanswered_before: false }) => {
                tracing::warn!(
                    result = ?end,
                    "the job ended before it was reported: stopped, timed out, or finished by another worker"
                );
                return sent(End::Over, Response::NotInProgress);
            }
            Ok(Reported::Rejected { claim: given_back, reason }) => {
                let Some(other) = instead(&next, &reason, run, redactor) else {
                    tracing::error!(
                        reason,
                        "CodePipeline refused the failure report; the job hangs until its action times out"
                    );
                    return sent(End::Unreported, Response::Final);
                };
                tracing::error!(
                    reason,
                    result = ?end,
                    "CodePipeline refused the report for its content; reporting a failure in the worker's own words"
                );
                next = other;
                claim = given_back;
            }
            Err(error) => {
                if is_kept {
                    tracing::error!(%error, result = ?end, "could not send the report; a later invocation sends it again");
                } else {
                    tracing::error!(
                        %error,
                        result = ?end,
                        "could not send the report; the job hangs until its action times out"
                    );
                }
                return sent(End::Unreported, Response::Unanswered);
            }
        }
    }
}

/// The report to send after CodePipeline refused one for its content. `None` if nothing is left to leave out.
fn instead(refused: &Report, reason: &str, run: &str, redactor: &Redactor) -> Option<Report> {
    let Report::Failure(failure) = refused else {
        let message = format!("CodePipeline refused the report of the action's outcome: {reason}");
        return Some(report(Err(Failure::new(FailureKind::JobFailed, REPORT_REFUSED, message)), run, redactor));
    };
    let own = |words: &str| {
        let FailureReport { kind, code, run, .. } = failure;
        Report::Failure(FailureReport::in_own_words(*kind, code.clone(), words.to_owned(), run.clone()))
    };
    if failure.has_output() || failure.external_execution_id.is_some() {
        return Some(own(&failure.reason));
    }
    (failure.reason != LAST_WORDS).then(|| own(LAST_WORDS))
}

fn end_of(report: &Report) -> End {
    match report {
        Report::Success(_) => End::Succeeded,
        Report::Continuation(_) => End::Continued,
        Report::Failure(_) => End::Failed,
    }
}

/// Logs a failure in the worker's own words, and gives its code to the lines that follow. The work's output goes to CodePipeline only.
fn log_result(report: &Report) {
    if let Report::Failure(failure) = report {
        let FailureReport { kind, code, reason, .. } = failure;
        tracing::Span::current().record("failureCode", code.as_deref());
        tracing::warn!(failureType = ?kind, failureReason = reason, "the job failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "e-1";
    const SEARCH: &str = " (search the log for e-1)";

    fn refused(failure: Failure) -> Vec<(String, Option<String>)> {
        let mut sent = Vec::new();
        let mut next = Some(report(Err(failure), RUN, &Redactor::default()));
        while let Some(Report::Failure(failure)) = &next {
            sent.push((failure.message.clone(), failure.external_execution_id.clone()));
            next = instead(next.as_ref().unwrap(), "ValidationException (HTTP 400)", RUN, &Redactor::default());
        }
        sent
    }

    #[test]
    fn a_refused_failure_is_sent_in_fewer_words() {
        let failure = Failure {
            output: Some("printed".into()),
            external_execution_id: Some("run-7".into()),
            ..Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "exit code 1")
        };
        let [(first, id), rest @ ..] = &refused(failure)[..] else { panic!("nothing was sent") };
        assert!(first.contains("printed") && id.as_deref() == Some("run-7"));
        assert_eq!(rest, [(format!("Test: exit code 1{SEARCH}"), None), (format!("Test: {LAST_WORDS}{SEARCH}"), None)]);
        let last = Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), LAST_WORDS);
        assert_eq!(refused(last).len(), 2, "the same words are not sent twice");
    }

    #[test]
    fn a_refused_outcome_becomes_a_failure_with_the_reason() {
        let finished = crate::job::Outcome::Finished(crate::job::Finished::default());
        let success = report(Ok(finished), RUN, &Redactor::default());
        let Some(Report::Failure(failure)) = instead(&success, "ValidationException", RUN, &Redactor::default()) else {
            panic!("a success was not replaced by a failure")
        };
        assert_eq!(failure.code.as_deref(), Some(REPORT_REFUSED.as_str()));
        assert!(failure.reason.ends_with("ValidationException"), "{}", failure.reason);
    }
}
