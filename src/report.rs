//! Makes the report of a job. Prose is redacted and cut to CodePipeline's limits. Data stays unchanged, and data that breaks a
//! limit fails the job, because a reader would get half of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::limits::{
    CHANGE_IDENTIFIER, CONTINUATION_TOKEN, EXTERNAL_EXECUTION_ID, MESSAGE, REVISION, SUMMARY, VARIABLES_BYTES,
};
use crate::job::{Continuation, Failure, FailureCode, FailureKind, Finished, Outcome, Revision};
use crate::redact::Redactor;
use crate::text::{keep_end, keep_start};

pub(crate) const INVALID_TOKEN_LENGTH: FailureCode = FailureCode::new("InvalidTokenLength");
const OUTCOME_TOO_LONG: FailureCode = FailureCode::new("OutcomeTooLong");
const INVALID_VARIABLE_NAME: FailureCode = FailureCode::new("InvalidVariableName");
const VARIABLES_TOO_LARGE: FailureCode = FailureCode::new("VariablesTooLarge");

/// A report that keeps to CodePipeline's documented limits.
#[derive(Serialize, Deserialize)]
pub enum Report {
    /// The job succeeded.
    Success(SuccessReport),
    /// The work continues, and a later job carries the token.
    Continuation(ContinuationReport),
    /// The job failed.
    Failure(FailureReport),
}

/// The content of `PutJobSuccessResult` without a token.
#[derive(Serialize, Deserialize)]
pub struct SuccessReport {
    /// The details that the console shows.
    pub details: ExecutionDetails,
    /// The action's output variables.
    pub variables: BTreeMap<String, String>,
    /// The revision that the action acted on.
    pub revision: Option<Revision>,
}

/// The content of `PutJobSuccessResult` with a token.
#[derive(Serialize, Deserialize)]
pub struct ContinuationReport {
    /// 1 to 2048 characters.
    pub token: String,
    /// The details that the console shows until then.
    pub details: ExecutionDetails,
}

/// The content of `PutJobFailureResult`.
#[derive(Serialize, Deserialize)]
pub struct FailureReport {
    /// The failure's type.
    pub kind: FailureKind,
    /// The failure's code. A report that an earlier version left in the ledger does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 1 to 5000 characters: the code, the reason and the end of the work's output.
    pub message: String,
    /// The message without the code and without the work's output, as the log shows it.
    pub reason: String,
    /// At most 1500 characters.
    pub external_execution_id: Option<String>,
    /// The id of the run, which ends the message. A report that an earlier version left in the ledger does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// The API's `executionDetails`.
#[derive(Serialize, Deserialize)]
pub struct ExecutionDetails {
    /// At most 2048 characters.
    pub summary: Option<String>,
    /// At most 1500 characters.
    pub external_execution_id: Option<String>,
    /// 0 to 100.
    pub percent_complete: Option<u8>,
}

/// Makes the report of a turn of the run with the id `run`. This id is the external execution id if the action gives none, and ends
/// the message of a failure. The log has it in each line about the run.
///
/// An outcome that breaks the API's rules, such as a variable's name or a token's length, becomes a
/// failure that says so. CodePipeline would refuse the whole report.
pub fn report(result: Result<Outcome, Failure>, run: &str, redactor: &Redactor) -> Report {
    // Only a forged event has a longer id.
    let run = whole("", Some(run.to_owned()), EXTERNAL_EXECUTION_ID).ok().flatten();
    let checked = result.and_then(|outcome| match outcome {
        Outcome::Finished(finished) => success(finished, redactor).map(Report::Success),
        Outcome::Continue(continuation) => going_on(continuation, redactor).map(Report::Continuation),
    });
    let mut report = checked.unwrap_or_else(|failure| Report::Failure(failed(failure, run.clone(), redactor)));
    let id = report.external_execution_id_mut();
    *id = id.take().or(run);
    report
}

impl Report {
    /// The external execution id that it gives, if any.
    pub(crate) fn external_execution_id(&self) -> Option<&str> {
        match self {
            Self::Success(SuccessReport { details, .. }) | Self::Continuation(ContinuationReport { details, .. }) => {
                details.external_execution_id.as_deref()
            }
            Self::Failure(failure) => failure.external_execution_id.as_deref(),
        }
    }

    fn external_execution_id_mut(&mut self) -> &mut Option<String> {
        match self {
            Self::Success(SuccessReport { details, .. }) | Self::Continuation(ContinuationReport { details, .. }) => {
                &mut details.external_execution_id
            }
            Self::Failure(failure) => &mut failure.external_execution_id,
        }
    }
}

fn success(finished: Finished, redactor: &Redactor) -> Result<SuccessReport, Failure> {
    let variables = finished.variables;
    check_variables(&variables)?;
    let percent = finished.percent_complete.unwrap_or(100).min(100);
    let details = execution_details(finished.summary, finished.external_execution_id, Some(percent), redactor)?;
    let revision = finished.revision.map(|it| revision(it, redactor)).transpose()?.flatten();
    Ok(SuccessReport { details, variables, revision })
}

fn going_on(continuation: Continuation, redactor: &Redactor) -> Result<ContinuationReport, Failure> {
    let Continuation { token, summary, external_execution_id, percent_complete } = continuation;
    let length = token.chars().count();
    if length == 0 || length > CONTINUATION_TOKEN {
        let message = format!(
            "the action's continuation token has {length} characters; CodePipeline takes 1 to {CONTINUATION_TOKEN}"
        );
        return Err(Failure {
            external_execution_id,
            ..Failure::new(FailureKind::JobFailed, INVALID_TOKEN_LENGTH, message)
        });
    }
    let percent = percent_complete.map(|percent| percent.min(100));
    let details = execution_details(summary, external_execution_id, percent, redactor)?;
    Ok(ContinuationReport { token, details })
}

impl FailureReport {
    /// A failure report without output, in the worker's own words.
    pub(crate) fn in_own_words(kind: FailureKind, code: Option<String>, reason: String, run: Option<String>) -> Self {
        let message = Self::own_words(code.as_deref(), &reason, run.as_deref());
        Self { kind, code, message, reason, external_execution_id: None, run }
    }

    /// Whether the message holds more than the code and the reason.
    pub(crate) fn has_output(&self) -> bool {
        self.message != Self::own_words(self.code.as_deref(), &self.reason, self.run.as_deref())
    }

    fn own_words(code: Option<&str>, reason: &str, run: Option<&str>) -> String {
        let hint = search(' ', run);
        Self::start(code, reason, MESSAGE - hint.chars().count()) + &hint
    }

    fn start(code: Option<&str>, reason: &str, room: usize) -> String {
        let message = code.map_or_else(|| reason.to_owned(), |code| format!("{code}: {reason}"));
        keep_start(&message, room).into_owned()
    }
}

/// The end of a failure's message: where the run's lines are. Empty if the id is too long, which only a damaged ledger has.
fn search(before: char, run: Option<&str>) -> String {
    let run = run.filter(|run| run.chars().count() <= EXTERNAL_EXECUTION_ID);
    run.map(|run| format!("{before}(search the log for {run})")).unwrap_or_default()
}

/// The code and the message first, then as much of the output's end as there is room for, and last the id to search for.
fn failed(failure: Failure, run: Option<String>, redactor: &Redactor) -> FailureReport {
    let said = redactor.redact(&failure.message);
    let said = Some(said.trim()).filter(|said| !said.is_empty()).unwrap_or("the action failed and gave no reason");
    let reason = keep_start(said, MESSAGE).into_owned();
    let mut report = FailureReport::in_own_words(failure.kind, Some(failure.code.to_string()), reason, run);
    if let Some(output) = failure.output {
        let output = redactor.redact(&output);
        let output = output.trim_end();
        let hint = search('\n', report.run.as_deref());
        let room = MESSAGE - hint.chars().count();
        let start = FailureReport::start(report.code.as_deref(), &report.reason, room);
        let room = room.saturating_sub(start.chars().count() + 2);
        if room > 1 && !output.is_empty() {
            report.message = format!("{start}:\n{}{hint}", keep_end(output, room));
        }
    }
    // A failure with too long an id loses the id, because its reason matters more.
    report.external_execution_id = whole("", failure.external_execution_id, EXTERNAL_EXECUTION_ID).ok().flatten();
    report
}

fn execution_details(
    summary: Option<String>,
    external_execution_id: Option<String>,
    percent_complete: Option<u8>,
    redactor: &Redactor,
) -> Result<ExecutionDetails, Failure> {
    Ok(ExecutionDetails {
        summary: limited(summary, SUMMARY, redactor),
        external_execution_id: whole("external execution id", external_execution_id, EXTERNAL_EXECUTION_ID)?,
        percent_complete,
    })
}

/// Leaves out a revision that lacks one of its two required members.
fn revision(given: Revision, redactor: &Redactor) -> Result<Option<Revision>, Failure> {
    let revision = whole("revision", Some(given.revision), REVISION)?;
    let change_identifier = whole("revision's change identifier", Some(given.change_identifier), CHANGE_IDENTIFIER)?;
    let summary = limited(given.summary, SUMMARY, redactor);
    let both = revision.zip(change_identifier);
    Ok(both.map(|(revision, change_identifier)| Revision { revision, change_identifier, summary, ..given }))
}

/// Redacts and cuts prose. Leaves out an empty text, because the API refuses empty strings.
fn limited(text: Option<String>, max_characters: usize, redactor: &Redactor) -> Option<String> {
    let text = text?;
    let text = redactor.redact(&text);
    let text = text.trim();
    (!text.is_empty()).then(|| keep_start(text, max_characters).into_owned())
}

/// Checks data, which is never cut.
fn whole(what: &str, text: Option<String>, max_characters: usize) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    let length = text.chars().count();
    if length > max_characters {
        let message =
            format!("the action's {what} has {length} characters; CodePipeline takes at most {max_characters}");
        return Err(Failure::new(FailureKind::JobFailed, OUTCOME_TOO_LONG, message));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), Failure> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_');
    if let Some(bad) = variables.keys().find(|key| key.is_empty() || !key.chars().all(harmless)) {
        let escaped = bad.escape_debug().to_string();
        let shown = keep_start(&escaped, 50);
        let message =
            format!("CodePipeline refuses the name of the output variable '{shown}': use [A-Za-z0-9@_-] only");
        return Err(Failure::new(FailureKind::JobFailed, INVALID_VARIABLE_NAME, message));
    }
    let bytes: usize = variables.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > VARIABLES_BYTES {
        let message = format!(
            "the action's {} output variables have {bytes} bytes; CodePipeline takes at most {VARIABLES_BYTES}: put large values into an artifact",
            variables.len()
        );
        return Err(Failure::new(FailureKind::JobFailed, VARIABLES_TOO_LARGE, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
