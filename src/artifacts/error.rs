//! Errors of staging, as a job sees them.

use std::error::Error;
use std::fmt;
use std::io;

use super::limits::EntryClass;
use super::response::Whose;
use crate::job::{Artifact, FailureCode, FailureKind};

const ARTIFACT_ACCESS_DENIED: FailureCode = FailureCode::new("ArtifactAccessDenied");
const ARTIFACT_CREDENTIALS_EXPIRED: FailureCode = FailureCode::new("ArtifactCredentialsExpired");
const ARTIFACT_NOT_FOUND: FailureCode = FailureCode::new("ArtifactNotFound");
const ARTIFACT_REPLACED: FailureCode = FailureCode::new("ArtifactReplaced");
const ARTIFACT_STORE_UNAVAILABLE: FailureCode = FailureCode::new("ArtifactStoreUnavailable");
const ARTIFACT_REQUEST_REFUSED: FailureCode = FailureCode::new("ArtifactRequestRefused");
const ARCHIVE_INVALID: FailureCode = FailureCode::new("ArchiveInvalid");
const ARTIFACT_TOO_LARGE: FailureCode = FailureCode::new("ArtifactTooLarge");
const ARTIFACT_TOO_MANY_ENTRIES: FailureCode = FailureCode::new("ArtifactTooManyEntries");
const OUTPUT_INVALID: FailureCode = FailureCode::new("OutputInvalid");
const WORK_FOLDER_UNUSABLE: FailureCode = FailureCode::new("WorkFolderUnusable");
const STAGING_INTERRUPTED: FailureCode = FailureCode::new("StagingInterrupted");

/// Why an artifact could not be staged. The text names the artifact and its object, and holds no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagingError {
    /// The artifact's name in the pipeline.
    pub artifact: String,
    /// The object that holds it, as `s3://bucket/key`.
    pub object: String,
    /// The problem.
    pub problem: Problem,
}

impl StagingError {
    pub(super) fn new(artifact: &Artifact, problem: Problem) -> Self {
        let object = format!("s3://{}/{}", artifact.bucket, artifact.key);
        Self { artifact: artifact.name.clone(), object, problem }
    }

    /// CodePipeline's failure type for this error.
    pub fn failure_kind(&self) -> FailureKind {
        match self.problem {
            Problem::Denied { .. } | Problem::Expired => FailureKind::PermissionError,
            Problem::Missing { .. } => FailureKind::RevisionUnavailable,
            Problem::Replaced => FailureKind::RevisionOutOfSync,
            Problem::Refused { .. } => FailureKind::ConfigurationError,
            Problem::Unavailable { .. } | Problem::Interrupted => FailureKind::SystemUnavailable,
            Problem::Archive(_)
            | Problem::TooLarge(_)
            | Problem::TooMany(..)
            | Problem::Output(_)
            | Problem::Disk(_) => FailureKind::JobFailed,
        }
    }

    /// The code of the failure that this error causes.
    pub fn failure_code(&self) -> FailureCode {
        match self.problem {
            Problem::Denied { .. } => ARTIFACT_ACCESS_DENIED,
            Problem::Expired => ARTIFACT_CREDENTIALS_EXPIRED,
            Problem::Missing { .. } => ARTIFACT_NOT_FOUND,
            Problem::Replaced => ARTIFACT_REPLACED,
            Problem::Unavailable { .. } => ARTIFACT_STORE_UNAVAILABLE,
            Problem::Refused { .. } => ARTIFACT_REQUEST_REFUSED,
            Problem::Archive(_) => ARCHIVE_INVALID,
            Problem::TooLarge(_) => ARTIFACT_TOO_LARGE,
            Problem::TooMany(..) => ARTIFACT_TOO_MANY_ENTRIES,
            Problem::Output(_) => OUTPUT_INVALID,
            Problem::Disk(_) => WORK_FOLDER_UNUSABLE,
            Problem::Interrupted => STAGING_INTERRUPTED,
        }
    }
}

impl fmt::Display for StagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "artifact `{}` ({}): {}", self.artifact, self.object, self.problem)
    }
}

impl Error for StagingError {}

/// The problem with an artifact, sorted by what a caller does about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// S3 or KMS denied the request.
    #[error("S3 denied the request to {doing} with {whose} ({reason}): {advice}")]
    Denied {
        /// The request, as a verb: `read the object`.
        doing: &'static str,
        /// The credentials that signed the request.
        whose: Whose,
        /// S3's error code, text, HTTP status and request id.
        reason: String,
        /// The change to make.
        advice: String,
    },
    /// The job's credentials have expired. The job's details bring fresh ones.
    #[error("the job's credentials have expired")]
    Expired,
    /// The bucket or the object does not exist.
    #[error("the object or the bucket does not exist ({reason})")]
    Missing {
        /// S3's error code, text, HTTP status and request id.
        reason: String,
    },
    /// The object changed while it was read.
    #[error("the object was replaced while it was read; run the action again")]
    Replaced,
    /// S3 is down, throttles or can't be reached, after all tries.
    #[error("could not {doing}: {reason}; S3 may be down or out of reach")]
    Unavailable {
        /// The request, as a verb.
        doing: &'static str,
        /// S3's error code, text, HTTP status and request id, or how the connection failed.
        reason: String,
    },
    /// S3 refused the request as wrong, for example because of a KMS key that does not exist or a bucket in another
    /// region.
    #[error("S3 refused to {doing} ({reason})")]
    Refused {
        /// The request, as a verb.
        doing: &'static str,
        /// S3's error code, text, HTTP status and request id.
        reason: String,
    },
    /// The archive is damaged, hostile, or of a kind that is not unpacked.
    #[error("{0}")]
    Archive(String),
    /// More bytes than allowed.
    #[error(
        "it unpacks to more than {0} bytes, the limit; raise MAX_UNPACKED_BYTES, and the function's ephemeral storage with it"
    )]
    TooLarge(u64),
    /// More of something than allowed.
    #[error("it has more than {1} {0}, the limit; raise MAX_ENTRIES, or make the artifact smaller")]
    TooMany(EntryClass, u64),
    /// The folder holds a file that an archive can't store.
    #[error("{0}")]
    Output(String),
    /// The local disk failed.
    #[error("{0}")]
    Disk(String),
    /// A caller stopped the work, or another part of it failed first.
    #[error("staging was interrupted")]
    Interrupted,
}

impl Problem {
    /// The failure of a write, most often a full disk.
    pub(super) fn writing(what: &(impl AsRef<[u8]> + ?Sized), error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Disk(format!(
                "the disk that holds the job's folder is full (while writing `{}`); raise the function's ephemeral storage",
                shown(what)
            )),
            io::ErrorKind::InvalidFilename => {
                Self::Archive(format!("the name `{}` is too long for this system", shown(what)))
            }
            _ => Self::Disk(format!("could not write `{}`: {error}", shown(what))),
        }
    }

    /// The [`Problem`] inside an `io::Error` that a library passed on; otherwise the result of `otherwise`.
    pub(super) fn inside(error: &io::Error, otherwise: impl FnOnce(&io::Error) -> Self) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = error.get_ref().map(|inner| inner as _);
        while let Some(current) = cause {
            if let Some(problem) = current.downcast_ref::<Self>() {
                return problem.clone();
            }
            // An io::Error's own `source` skips the error that it wraps.
            cause = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => current.source(),
            };
        }
        otherwise(error)
    }
}

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        Self::other(problem)
    }
}

/// A name from an archive or a folder, for messages: control characters and odd spaces are escaped, and it is cut to
/// 120 characters. Bytes that are not UTF-8 become the replacement character.
pub(super) fn shown(name: &(impl AsRef<[u8]> + ?Sized)) -> String {
    const LONGEST: usize = 120;
    let name = String::from_utf8_lossy(name.as_ref());
    let mut shown = String::new();
    let mut length = 0;
    for character in name.chars() {
        let escaped = character.escape_debug();
        length += escaped.len();
        if length > LONGEST {
            shown.push('…');
            break;
        }
        shown.extend(escaped);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_is_found_inside_nested_io_errors() {
        let nested = io::Error::other(io::Error::from(Problem::Expired));
        assert_eq!(Problem::inside(&nested, |_| Problem::Interrupted), Problem::Expired);
        let foreign = io::Error::other("something else");
        assert_eq!(Problem::inside(&foreign, |_| Problem::Interrupted), Problem::Interrupted);
    }

    #[test]
    fn shown_names_are_short_and_have_no_control_characters() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 121);
        assert_eq!(shown(&"x".repeat(120)), "x".repeat(120));
        assert_eq!(shown(&"\u{a0}".repeat(500)), "\\u{a0}".repeat(20) + "…");
    }

    #[test]
    fn message_names_the_artifact_and_its_object() {
        let artifact = Artifact { name: "Source".into(), bucket: "b".into(), key: "k/1".into(), revision: None };
        let error = StagingError::new(&artifact, Problem::TooLarge(7));
        assert!(error.to_string().starts_with("artifact `Source` (s3://b/k/1): it unpacks to more than 7 bytes"));
        assert_eq!(error.failure_kind(), FailureKind::JobFailed);
    }
}
