//! Why an artifact can't be shown.

use http::StatusCode;

use crate::providers::archive::ArchiveProblem;
use crate::s3::FileError;

/// Why an artifact can't be shown.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl From<FileError> for Refused {
    fn from(error: FileError) -> Self {
        let status = match error {
            FileError::NotFound { .. } => StatusCode::NOT_FOUND,
            FileError::Failed { .. } => StatusCode::BAD_REQUEST,
        };
        Self { status, message: format!("Could not read the artifact: {error}") }
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: format!("Could not read the artifact: {error}") }
    }
}

impl From<ArchiveProblem> for Refused {
    fn from(problem: ArchiveProblem) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: format!("Could not read the archive: {problem}") }
    }
}
