//! The service and operation of a request.

use http::request::Parts;

use crate::services::Service;
use crate::{api, s3, secrets};

/// A call. An operation that the emulator does not have has no name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    CodePipeline(Option<&'static str>),
    S3(Option<&'static str>),
    SecretsManager(Option<&'static str>),
    /// A call of another service.
    Other,
}

impl Call {
    pub(crate) fn of(service: &Service, parts: &Parts) -> Self {
        match service {
            Service::CodePipeline(_) => {
                Self::CodePipeline(api::operations().find(|known| Some(*known) == service.operation()))
            }
            Service::SecretsManager(name) => {
                Self::SecretsManager((name == secrets::OPERATION).then_some(secrets::OPERATION))
            }
            Service::S3 => Self::S3(s3::operation(parts)),
            Service::Other { .. } => Self::Other,
        }
    }

    #[cfg(test)]
    pub(super) fn named(name: &'static str) -> Self {
        if s3::operations().any(|known| known == name) { Self::S3(Some(name)) } else { Self::CodePipeline(Some(name)) }
    }

    pub(crate) fn is_s3(&self) -> bool {
        matches!(self, Self::S3(_))
    }

    pub(crate) fn is_codepipeline(&self) -> bool {
        matches!(self, Self::CodePipeline(_))
    }

    pub(crate) fn operation(&self) -> Option<&'static str> {
        match *self {
            Self::CodePipeline(name) | Self::S3(name) | Self::SecretsManager(name) => name,
            Self::Other => None,
        }
    }
}

/// The names of the operations that can have faults: of CodePipeline, Secrets Manager, then S3.
pub fn operations() -> impl Iterator<Item = &'static str> {
    api::operations().chain([secrets::OPERATION]).chain(s3::operations())
}
