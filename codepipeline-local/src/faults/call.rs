//! Which operation of which service a request calls.

use http::request::Parts;

use crate::{api, s3};

/// What a request calls. An operation that the emulator does not have is a call all the same, without a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    CodePipeline(Option<&'static str>),
    S3(Option<&'static str>),
}

impl Call {
    /// `operation` is the one that the request's target names, if it has a target of CodePipeline's.
    pub(crate) fn of(parts: &Parts, operation: Option<&str>) -> Self {
        match operation {
            Some(name) => Self::CodePipeline(api::operations().find(|known| *known == name)),
            None => Self::S3(s3::operation(parts)),
        }
    }

    #[cfg(test)]
    pub(super) fn named(name: &'static str) -> Self {
        if s3::OPERATIONS.contains(&name) { Self::S3(Some(name)) } else { Self::CodePipeline(Some(name)) }
    }

    pub(crate) fn is_s3(&self) -> bool {
        matches!(self, Self::S3(_))
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        match *self {
            Self::CodePipeline(name) | Self::S3(name) => name,
        }
    }
}

/// The names of the operations that a fault may be for: CodePipeline's, then S3's.
pub fn operations() -> impl Iterator<Item = &'static str> {
    api::operations().chain(s3::OPERATIONS)
}
