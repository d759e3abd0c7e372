//! Why a job failed: the failure, its type and its code.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a job failed.
pub struct Failure {
    /// Which of CodePipeline's six failure types it is.
    pub kind: FailureKind,
    /// Which failure it is. The code stays the same when the message is reworded.
    pub code: FailureCode,
    /// What happened, the numbers, and what to change. It goes to CodePipeline and to the log, so it holds no configuration
    /// value and no text that a command printed.
    pub message: String,
    /// The output of the work. CodePipeline gets the end of it, with the secrets masked. No line about the
    /// failure has it: a command's output is logged as the command prints it.
    pub output: Option<String>,
    /// The id of the run in the system that did the work; fills `{ExternalExecutionId}` in the action type's URL.
    pub external_execution_id: Option<String>,
    /// Whether the work may still run outside although this job failed. The worker then stops it.
    pub runs_on: bool,
}

impl Failure {
    /// A failure without output.
    pub fn new(kind: FailureKind, code: FailureCode, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), output: None, external_execution_id: None, runs_on: false }
    }
}

/// The stable name of a failure, such as `StagingTimeout`.
///
/// The worker logs it as `failureCode` and puts it in front of the message that CodePipeline shows:
/// `StagingTimeout: staging in the input artifacts took longer than 40s`. An alarm or a script compares the code, since
/// messages change from version to version. Declare each code as a constant, so that the compiler checks it:
///
/// ```
/// use codepipeline_worker::job::{Failure, FailureCode, FailureKind};
///
/// const LINKS_BROKEN: FailureCode = FailureCode::new("LinksBroken");
///
/// let failure = Failure::new(FailureKind::JobFailed, LINKS_BROKEN, "2 of 40 links are broken");
/// assert_eq!(failure.code.as_str(), "LinksBroken");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FailureCode(&'static str);

impl FailureCode {
    /// How many characters a code may have. It takes room from the message, and consoles show only the message's first line.
    pub const LONGEST: usize = 40;

    /// A code in `UpperCamelCase`: at most 40 ASCII letters and digits, the first an upper-case letter.
    ///
    /// # Panics
    /// If the code breaks this rule. In a constant, that is an error of the compiler.
    pub const fn new(code: &'static str) -> Self {
        let bytes = code.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= Self::LONGEST, "a failure code has 1 to 40 characters");
        assert!(bytes[0].is_ascii_uppercase(), "a failure code begins with an upper-case letter");
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at].is_ascii_alphanumeric(), "a failure code has ASCII letters and digits only");
            at += 1;
        }
        Self(code)
    }

    /// The code as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The failure types of `PutJobFailureResult` (API model, `FailureType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The work itself failed.
    JobFailed,
    /// The action's configuration is wrong.
    ConfigurationError,
    /// The job's credentials or the function's role lack a permission.
    PermissionError,
    /// The revision is not the expected one.
    RevisionOutOfSync,
    /// An artifact is missing.
    RevisionUnavailable,
    /// A service that the job needs is down for now.
    SystemUnavailable,
}

#[cfg(test)]
mod tests;
