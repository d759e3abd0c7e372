//! The outcome of a command that ran.

use std::collections::BTreeMap;
use std::time::Duration;

use super::line_ends::LineEnds;
use super::report_files::ReportFiles;
use crate::job::{ActionTypeId, Failure, Finished, Outcome, Revision, limits};
use crate::redact::Redactor;

/// The outcome of a command that succeeded. If the command wrote no summary, the worker's summary has the duration and the hint about
/// `line_ends`. The command may have written its summary to a file whose name ends with CR.
pub(super) fn finished(
    report: &ReportFiles,
    redactor: &Redactor,
    took: Duration,
    line_ends: &LineEnds,
    action_type: &ActionTypeId,
) -> Result<Outcome, Failure> {
    let (summary, variables) = (report.read_summary(redactor)?, report.read_variables()?);
    let revision = report.read_revision()?.or_else(|| revision_of_commit(action_type, &variables, summary.as_deref()));
    let summary = summary.unwrap_or_else(|| {
        let hint = line_ends.hint().filter(|_| line_ends.are_in_arguments).map(|hint| format!("; {hint}"));
        format!("exit code 0 after {}{}", humanized(took), hint.unwrap_or_default())
    });
    Ok(Outcome::Finished(Finished {
        summary: Some(summary),
        external_execution_id: report.read_external_id()?,
        variables,
        revision,
        ..Finished::default()
    }))
}

/// The revision of a Source action that writes no revision, but the output variable `CommitId` as AWS's own Git sources do.
fn revision_of_commit(
    action_type: &ActionTypeId,
    variables: &BTreeMap<String, String>,
    summary: Option<&str>,
) -> Option<Revision> {
    let commit = variables.get("CommitId").filter(|_| action_type.category == "Source")?;
    if commit.is_empty() || commit.chars().count() > limits::CHANGE_IDENTIFIER {
        return None;
    }
    let message = variables.get("CommitMessage").map(String::as_str).filter(|message| !message.is_empty());
    Some(Revision {
        revision: commit.clone(),
        change_identifier: commit.clone(),
        summary: message.or(summary).map(str::to_owned),
        created: None,
    })
}

/// Adds the external execution id that the command wrote to its failure.
pub(super) fn failed(failure: Failure, report: &ReportFiles) -> Failure {
    // The failure matters more than a mistake in this file.
    let external_execution_id = report.read_external_id().ok().flatten();
    Failure { external_execution_id, ..failure }
}

/// `12 s`, `2 min 5 s`, `1 h 3 min`; at least one second.
fn humanized(took: Duration) -> String {
    let seconds = took.saturating_add(Duration::from_millis(500)).as_secs().max(1);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (milliseconds, expected) in [
            (0, "1 s"),
            (1_499, "1 s"),
            (12_000, "12 s"),
            (59_600, "1 min 0 s"),
            (125_000, "2 min 5 s"),
            (3_780_000, "1 h 3 min"),
        ] {
            assert_eq!(humanized(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn a_sources_commit_id_is_its_revision() {
        let variables =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let of = |category: &str, pairs: &[(&str, &str)], summary| {
            let [owner, provider, version] = ["Custom", "Git", "1"].map(str::to_owned);
            let action_type = ActionTypeId { category: category.to_owned(), owner, provider, version };
            let revision = revision_of_commit(&action_type, &variables(pairs), summary)?;
            assert_eq!(revision.revision, revision.change_identifier);
            Some((revision.revision, revision.summary.unwrap_or_default()))
        };
        let commit = ("CommitId", "c0ffee");
        let expected = |summary: &str| Some(("c0ffee".to_owned(), summary.to_owned()));
        assert_eq!(of("Source", &[commit], Some("fix it")), expected("fix it"));
        assert_eq!(of("Source", &[commit, ("CommitMessage", "why")], Some("fix it")), expected("why"));
        assert_eq!(of("Source", &[commit], None), expected(""));
        assert_eq!(of("Build", &[commit], None), None);
        assert_eq!(of("Source", &[("CommitId", "")], None), None);
        assert_eq!(of("Source", &[("CommitId", &"x".repeat(101))], None), None);
        assert_eq!(of("Source", &[], Some("fix it")), None);
    }
}
