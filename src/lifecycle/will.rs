//! The report as the ledger keeps it, for a worker that adopts the job.

use serde::{Deserialize, Serialize};

use crate::actions::Abandoned;
use crate::job::{Failure, FailureCode, FailureKind};
use crate::redact::{Redactor, SECRET_IN_TOKEN};
use crate::report::{Report, report};

const LEDGER_REPORT_UNREADABLE: FailureCode = FailureCode::new("LedgerReportUnreadable");

/// A report that is cut and redacted, and the work outside to stop if no later job resumes it.
pub(super) struct Will {
    pub(super) report: Report,
    pub(super) running: Option<Abandoned>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    report: &'a Report,
    running: Option<(&'a str, Option<&'a str>)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    report: Report,
    running: Option<(String, Option<String>)>,
}

impl Will {
    /// Leaves out the token of the work outside if it holds a secret, because the ledger stores it.
    pub(super) fn new(report: Report, running: Option<&Abandoned>, redactor: &Redactor) -> Self {
        let running = running.map(|Abandoned { execution_id, token }| {
            let token = token.clone().filter(|token| redactor.secret_in(token, SECRET_IN_TOKEN).is_none());
            Abandoned { execution_id: execution_id.clone(), token }
        });
        Self { report, running }
    }

    /// Writes it as text.
    pub(super) fn write(&self) -> String {
        let running = self.running.as_ref().map(|it| (it.execution_id.as_str(), it.token.as_deref()));
        // Texts, numbers and maps with text keys always serialize.
        serde_json::to_string(&Written { report: &self.report, running }).unwrap_or_default()
    }

    /// Reads it from text. An unreadable text becomes a failure of `run` that says so: the work ended, and its outcome is lost.
    pub(super) fn read(text: &str, run: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Found { report, running }) => {
                let running = running.map(|(execution_id, token)| Abandoned { execution_id, token });
                Self { report, running }
            }
            Err(_) => {
                let message = "the worker died before it reported the job, and its report in the ledger can't be read: the \
                               action has ended, and its outcome is lost";
                let failure = Failure::new(FailureKind::JobFailed, LEDGER_REPORT_UNREADABLE, message);
                Self { report: report(Err(failure), run, &Redactor::default()), running: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Continuation, Finished, Outcome, Revision};

    fn again(result: Result<Outcome, Failure>, running: Option<Abandoned>) -> Will {
        Will::read(&Will { report: report(result, "e-1", &Redactor::default()), running }.write(), "e-2")
    }

    #[test]
    fn every_kind_of_report_survives_a_round_trip() {
        let finished = Finished {
            summary: Some("two \"words\"\nand lines".into()),
            external_execution_id: Some("x".into()),
            percent_complete: Some(7),
            variables: [("Key".into(), "value".into())].into(),
            revision: Some(Revision {
                revision: "r".into(),
                change_identifier: "c".into(),
                summary: None,
                created: None,
            }),
            ..Finished::default()
        };
        let Report::Success(success) = again(Ok(Outcome::Finished(finished)), None).report else { panic!() };
        assert_eq!(success.details.summary.as_deref(), Some("two \"words\"\nand lines"));
        assert_eq!((success.details.percent_complete, success.variables["Key"].as_str()), (Some(7), "value"));
        assert_eq!(success.revision.unwrap().change_identifier, "c");

        let going_on =
            Continuation { token: "t".into(), summary: None, external_execution_id: None, percent_complete: None };
        let running = Abandoned { execution_id: "e".into(), token: Some("t".into()) };
        let will = again(Ok(Outcome::Continue(going_on)), Some(running));
        assert!(matches!(will.report, Report::Continuation(it) if it.token == "t"));
        assert!(will.running.is_some_and(|it| it.execution_id == "e" && it.token.as_deref() == Some("t")));

        let failure = Failure {
            output: Some("printed".into()),
            ..Failure::new(FailureKind::PermissionError, FailureCode::new("Test"), "no")
        };
        let Report::Failure(failure) = again(Err(failure), None).report else { panic!() };
        assert_eq!((failure.kind, failure.reason.as_str()), (FailureKind::PermissionError, "no"));
        assert!(failure.message.contains("printed"));
    }

    #[test]
    fn a_token_that_holds_a_secret_is_not_kept() {
        let running = Abandoned { execution_id: "e".into(), token: Some("build A-SECRET".into()) };
        let redactor = Redactor::new(["A-SECRET"]);
        let failed =
            report(Err(Failure::new(FailureKind::JobFailed, FailureCode::new("Test"), "refused")), "e-1", &redactor);
        let text = Will::new(failed, Some(&running), &redactor).write();
        assert!(!text.contains("SECRET") && text.contains(r#""running":["e",null]"#), "{text}");
    }

    #[test]
    fn unreadable_texts_become_failures_that_repeat_nothing() {
        for text in ["", "{}", r#"{"report": {"SECRET": 1}}"#] {
            let Report::Failure(failure) = Will::read(text, "e-2").report else { panic!("{text}") };
            assert_eq!(failure.code.as_deref(), Some(LEDGER_REPORT_UNREADABLE.as_str()));
            assert!(!failure.message.contains("SECRET"), "{}", failure.message);
        }
    }
}
