//! Errors of operations.

/// An error of the API: its name and a message. Messages name members and limits, never the value of a configuration
/// property.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub(crate) struct ApiError {
    pub(crate) name: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    pub(super) fn no_job(id: &str) -> Self {
        Self::new("JobNotFoundException", format!("There is no job with the id '{id}'"))
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn structure(message: impl Into<String>) -> Self {
        Self::new("InvalidStructureException", message)
    }

    pub(crate) fn stage(message: impl Into<String>) -> Self {
        Self::new("InvalidStageDeclarationException", message)
    }

    pub(crate) fn action(message: impl Into<String>) -> Self {
        Self::new("InvalidActionDeclarationException", message)
    }
}
