//! What S3's refusals and failures mean for the ledger.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::super::error::LedgerError;
use crate::calls::{ErrorResponse, Failed, Kind, sort};

/// What is being asked of S3, to be named in an error.
pub(super) struct Asking<'a> {
    pub(super) doing: &'static str,
    /// What the function's role needs for it.
    pub(super) permission: &'static str,
    pub(super) bucket: &'a str,
}

/// A refusal or failure, sorted by what a caller does about it.
pub(super) enum Reply {
    /// The object is not as the request demands; what S3 said.
    Condition(String),
    Error(LedgerError),
}

impl Reply {
    /// Of a request that demands nothing.
    pub(super) fn into_error(self, asking: &Asking<'_>) -> LedgerError {
        match self {
            Self::Condition(reply) => asking.refused(reply),
            Self::Error(error) => error,
        }
    }
}

impl Asking<'_> {
    /// Sorts an error of the SDK.
    pub(super) fn reply<E: ProvideErrorMetadata>(&self, error: &SdkError<E, HttpResponse>) -> Reply {
        let Failed { kind, reason, detail } = sort(error, |response| (response.kind(), self.sorted(response)));
        detail.unwrap_or_else(|| {
            Reply::Error(if kind == Kind::Refused { self.refused(reason) } else { self.unavailable(&reason) })
        })
    }

    /// Codes: "Error responses", Amazon S3 API reference. The refusal of one object among many has no status of its own.
    pub(super) fn sorted(&self, response: &ErrorResponse<'_>) -> Reply {
        let (bucket, reply) = (self.bucket.to_owned(), response.to_string());
        Reply::Error(match (response.code.unwrap_or_default(), response.status.unwrap_or_default()) {
            ("NoSuchBucket", _) => LedgerError::NoBucket { bucket, reply },
            ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed", _) | (_, 300..=399) => {
                LedgerError::OtherRegion { bucket, reply }
            }
            ("SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable", _) => self.unavailable(&reply),
            _ if response.kind() != Kind::Refused => self.unavailable(&reply),
            // What If-Match demands and is not there is 404, and another write that is under way 409.
            ("PreconditionFailed" | "ConditionalRequestConflict" | "OperationAborted" | "NoSuchKey", _)
            | (_, 404 | 409 | 412) => return Reply::Condition(reply),
            ("AccessDenied" | "AllAccessDisabled", _) | (_, 401 | 403) => {
                LedgerError::Denied { doing: self.doing, bucket, reply, permission: self.permission }
            }
            _ => self.refused(reply),
        })
    }

    pub(super) fn unavailable(&self, reply: &str) -> LedgerError {
        LedgerError::Unavailable { doing: self.doing, bucket: self.bucket.to_owned(), reply: reply.to_owned() }
    }

    /// S3 always sends an ETag and dates; something in between may not.
    pub(super) fn incomplete(&self) -> LedgerError {
        self.unavailable("an answer without ETag, Date or Last-Modified")
    }

    fn refused(&self, reply: String) -> LedgerError {
        LedgerError::Refused { doing: self.doing, bucket: self.bucket.to_owned(), reply }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_become_the_callers_decisions() {
        let asking = Asking { doing: "write an entry", permission: "s3:PutObject", bucket: "ledger" };
        let said = |code, status| match asking.sorted(&ErrorResponse { code, status }) {
            Reply::Condition(reply) => format!("condition: {reply}"),
            Reply::Error(error) => format!("{}: {error}", if error.may_pass() { "may pass" } else { "stays" }),
        };
        for (code, status, expected) in [
            (Some("PreconditionFailed"), 412, "condition: PreconditionFailed, HTTP 412"),
            (Some("ConditionalRequestConflict"), 409, "condition: ConditionalRequestConflict, HTTP 409"),
            (Some("NoSuchKey"), 404, "condition: NoSuchKey, HTTP 404"),
            (None, 412, "condition: no error code, HTTP 412"),
            (
                Some("SlowDown"),
                503,
                "may pass: could not write an entry in the ledger's bucket `ledger` (SlowDown, HTTP 503); S3 may be down or \
                 out of reach",
            ),
            (
                Some("RequestTimeout"),
                400,
                "may pass: could not write an entry in the ledger's bucket `ledger` (RequestTimeout, HTTP 400); S3 may be \
                 down or out of reach",
            ),
            (
                Some("AccessDenied"),
                403,
                "stays: the function's role may not write an entry in the ledger's bucket `ledger` (AccessDenied, HTTP 403): \
                 grant it s3:PutObject, and see that no policy of the bucket denies it",
            ),
            (
                Some("NoSuchBucket"),
                404,
                "stays: the ledger's bucket `ledger` does not exist (NoSuchBucket, HTTP 404): make it, or correct \
                 LEDGER_BUCKET",
            ),
            (
                Some("PermanentRedirect"),
                301,
                "stays: the ledger's bucket `ledger` is in another region than the function (PermanentRedirect, HTTP 301): \
                 use one in the function's region",
            ),
            (
                Some("InvalidRequest"),
                400,
                "stays: S3 refuses to write an entry in the ledger's bucket `ledger` (InvalidRequest, HTTP 400)",
            ),
        ] {
            assert_eq!(said(code, Some(status)), expected);
        }
        assert_eq!(said(Some("NoSuchKey"), None), "condition: NoSuchKey");
    }
}
