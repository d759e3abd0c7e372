//! Sorts S3's error responses for the ledger.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::super::error::LedgerError;
use crate::calls::{ErrorResponse, Failed, Meaning, sort_by_status};

/// A request to S3, for error messages.
pub(super) struct Operation<'a> {
    pub(super) doing: &'static str,
    /// The permission that the function's role needs.
    pub(super) permission: &'static str,
    pub(super) bucket: &'a str,
}

/// A request that S3 refused or failed at, sorted by what the caller does about it.
pub(super) enum Refusal {
    /// The request's condition does not hold. Holds S3's error code and HTTP status.
    Condition(String),
    Error(LedgerError),
}

impl Refusal {
    /// The error of a request without a condition.
    pub(super) fn into_error(self, operation: &Operation<'_>) -> LedgerError {
        match self {
            Self::Condition(reason) => operation.refused(reason),
            Self::Error(error) => error,
        }
    }
}

impl Operation<'_> {
    /// Sorts an error of the SDK. A refusal whose body broke off is sorted by its status. The status of a success does not
    /// say what the broken body would have.
    pub(super) fn refusal<E: ProvideErrorMetadata>(&self, error: &SdkError<E, HttpResponse>) -> Refusal {
        let is_refusal = |status| !(200..300).contains(&status);
        let failed = sort_by_status(error, is_refusal, |response| (response.meaning(), self.sorted(response)));
        let Failed { meaning, reason, detail, .. } = failed.with_credentials_hint();
        detail.unwrap_or_else(|| {
            Refusal::Error(if meaning == Meaning::Refused { self.refused(reason) } else { self.unavailable(&reason) })
        })
    }

    /// Codes: "Error responses", Amazon S3 API reference. A single refusal in a batch has no status.
    pub(super) fn sorted(&self, response: &ErrorResponse<'_>) -> Refusal {
        let (bucket, reason) = (self.bucket.to_owned(), response.to_string());
        Refusal::Error(match (response.code.unwrap_or_default(), response.status.unwrap_or_default()) {
            ("NoSuchBucket", _) => LedgerError::NoBucket { bucket, reason },
            ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed", _) | (_, 300..=399) => {
                LedgerError::OtherRegion { bucket, reason }
            }
            ("SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable", _) => self.unavailable(&reason),
            _ if response.meaning() != Meaning::Refused => self.unavailable(&reason),
            // S3 sends 404 if the object of `If-Match` is missing, and 409 if another write is under way.
            ("PreconditionFailed" | "ConditionalRequestConflict" | "OperationAborted" | "NoSuchKey", _)
            | (_, 404 | 409 | 412) => return Refusal::Condition(reason),
            (code, _) if matches!(code, "AccessDenied" | "AllAccessDisabled") || response.is_denied() => {
                LedgerError::Denied { doing: self.doing, bucket, reason, permission: self.permission }
            }
            _ => self.refused(reason),
        })
    }

    pub(super) fn unavailable(&self, reason: &str) -> LedgerError {
        LedgerError::Unavailable { doing: self.doing, bucket: self.bucket.to_owned(), reason: reason.to_owned() }
    }

    /// S3 always sends an ETag and dates, but a proxy may remove them.
    pub(super) fn incomplete(&self) -> LedgerError {
        self.unavailable("the response has no ETag, Date or Last-Modified")
    }

    fn refused(&self, reason: String) -> LedgerError {
        LedgerError::Refused { doing: self.doing, bucket: self.bucket.to_owned(), reason }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    #[test]
    fn refusal_with_a_broken_body_is_sorted_by_status() {
        let operation = Operation { doing: "write an entry", permission: "s3:PutObject", bucket: "ledger" };
        let refusal = |status: u16| {
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("<Err"));
            operation.refusal::<ErrorMetadata>(&SdkError::response_error("broken", response))
        };
        for (status, reason) in
            [(404, "no error code, HTTP 404"), (409, "no error code, HTTP 409"), (412, "no error code, HTTP 412")]
        {
            assert!(matches!(refusal(status), Refusal::Condition(found) if found == reason), "{status}");
        }
        assert!(matches!(refusal(403), Refusal::Error(LedgerError::Denied { .. })));
        for status in [200, 503] {
            assert!(matches!(refusal(status), Refusal::Error(LedgerError::Unavailable { .. })), "{status}");
        }
    }

    #[test]
    fn codes_and_statuses_are_sorted() {
        let operation = Operation { doing: "write an entry", permission: "s3:PutObject", bucket: "ledger" };
        let said = |code, status| match operation.sorted(&ErrorResponse { code, status }) {
            Refusal::Condition(response) => format!("condition: {response}"),
            Refusal::Error(error) => format!("{}: {error}", if error.may_pass() { "may pass" } else { "stays" }),
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
                 grant it s3:PutObject, and check that no policy of the bucket denies it",
            ),
            (
                Some("NoSuchBucket"),
                404,
                "stays: the ledger's bucket `ledger` does not exist (NoSuchBucket, HTTP 404): create it, or correct \
                 LEDGER_BUCKET",
            ),
            (
                Some("PermanentRedirect"),
                301,
                "stays: the ledger's bucket `ledger` is in another region than the function (PermanentRedirect, HTTP 301): \
                 use a bucket in the function's region",
            ),
            (
                Some("InvalidRequest"),
                400,
                "stays: S3 refused to write an entry in the ledger's bucket `ledger` (InvalidRequest, HTTP 400)",
            ),
        ] {
            assert_eq!(said(code, Some(status)), expected);
        }
        assert_eq!(said(Some("NoSuchKey"), None), "condition: NoSuchKey");
    }
}
