//! The table that turns an error of any SDK into refused, throttled or unanswered.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;

/// The meaning of a failed try for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The service refused the request, which had no effect. Another try would be refused too.
    Refused,
    /// The service refused the request for now, and it had no effect: a throttle, or credentials that have just expired.
    Throttled,
    /// No response, or one (5xx) that does not say whether the request took effect.
    Unanswered,
}

/// A failed try. `D` is what the caller's own table of codes adds.
pub(crate) struct Failed<D> {
    pub(crate) meaning: Meaning,
    /// The service's error code and HTTP status, or how the connection failed. Safe to log, because it holds no body.
    pub(crate) reason: String,
    /// The caller's verdict on the error response; `None` if there was no response.
    pub(crate) detail: Option<D>,
    /// Why there was no response; `None` if there was one.
    pub(crate) no_response: Option<NoResponse>,
}

impl<D> Failed<D> {
    /// Asks for the function's credentials if the request could not be sent. Only for requests that they sign.
    #[must_use]
    pub(crate) fn with_credentials_hint(mut self) -> Self {
        if self.no_response == Some(NoResponse::NotSent) {
            self.reason.push_str("; does the function have credentials?");
        }
        self
    }
}

/// The code and status of an error response.
#[derive(Clone, Copy)]
pub(crate) struct ErrorResponse<'a> {
    /// The service's error code, if it sent one.
    pub(crate) code: Option<&'a str>,
    /// The HTTP status; `None` for a single refusal in a batch.
    pub(crate) status: Option<u16>,
}

impl ErrorResponse<'_> {
    /// The meaning of a response whose code the caller's table does not list. AWS's services share these codes and
    /// statuses ("Common Error Types" in their API references).
    pub(crate) fn meaning(&self) -> Meaning {
        let code = self.code.unwrap_or_default();
        match self.status {
            _ if code.starts_with("Throttl") || code == "TooManyRequestsException" => Meaning::Throttled,
            Some(429) => Meaning::Throttled,
            Some(500..) => Meaning::Unanswered,
            _ => Meaning::Refused,
        }
    }

    /// Whether the status says that the caller lacks a permission or valid credentials.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

impl fmt::Display for ErrorResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.unwrap_or("no error code"))?;
        self.status.map_or(Ok(()), |status| write!(f, ", HTTP {status}"))
    }
}

/// Why a try has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// The deadline had passed before the try began.
    NoTimeLeft,
    /// The deadline or a timeout came first.
    Late,
    /// There was no connection, or it broke off.
    Connection,
    /// Something else kept the request from being sent, such as missing credentials. Calling that unanswered does no
    /// harm.
    NotSent,
    /// The response broke off or can't be parsed.
    Unreadable,
    /// The request could not be built.
    NotBuilt,
}

impl NoResponse {
    /// One wording for all services.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoTimeLeft => "no time was left for it",
            Self::Late => "no response in time",
            Self::Connection => "the connection failed",
            Self::NotSent => "could not send the request",
            Self::Unreadable => "could not read the response",
            Self::NotBuilt => "could not build the request",
        }
    }
}

impl<D> From<NoResponse> for Failed<D> {
    fn from(cause: NoResponse) -> Self {
        let meaning = if cause == NoResponse::NotBuilt { Meaning::Refused } else { Meaning::Unanswered };
        Self { meaning, reason: cause.reason().to_owned(), detail: None, no_response: Some(cause) }
    }
}

/// Sorts an error of an SDK. `codes` is the caller's own table for error responses. Only the code and the status get
/// out, because the error may hold whole requests and responses.
pub(crate) fn sort<E: ProvideErrorMetadata, D>(
    error: &SdkError<E, HttpResponse>,
    codes: impl FnOnce(&ErrorResponse<'_>) -> (Meaning, D),
) -> Failed<D> {
    sort_by_status(error, |_| false, codes)
}

/// The same, for a service whose status can decide without the body. If `decides` is true for the status of a response
/// that broke off or can't be parsed, `codes` gets that status without a code.
pub(crate) fn sort_by_status<E: ProvideErrorMetadata, D>(
    error: &SdkError<E, HttpResponse>,
    decides: impl FnOnce(u16) -> bool,
    codes: impl FnOnce(&ErrorResponse<'_>) -> (Meaning, D),
) -> Failed<D> {
    let responded = |status| {
        let response = ErrorResponse { code: error.code(), status: Some(status) };
        let (meaning, detail) = codes(&response);
        Failed { meaning, reason: response.to_string(), detail: Some(detail), no_response: None }
    };
    match error {
        SdkError::ServiceError(context) => responded(context.raw().status().as_u16()),
        SdkError::ResponseError(context) if decides(context.raw().status().as_u16()) => {
            responded(context.raw().status().as_u16())
        }
        SdkError::ConstructionFailure(_) => NoResponse::NotBuilt.into(),
        SdkError::TimeoutError(_) => NoResponse::Late.into(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => NoResponse::Late.into(),
        // The SDK has no separate error for a connection that breaks off: it calls that transient.
        SdkError::DispatchFailure(failure)
            if failure.is_io() || failure.as_other() == Some(ErrorKind::TransientError) =>
        {
            NoResponse::Connection.into()
        }
        SdkError::DispatchFailure(_) => NoResponse::NotSent.into(),
        _ => NoResponse::Unreadable.into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn response(status: u16) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from("SECRET"))
    }

    fn sorted(error: &SdkError<ErrorMetadata, HttpResponse>) -> (Meaning, String, bool) {
        let failed = sort(error, |response| (response.meaning(), ()));
        (failed.meaning, failed.reason, failed.detail.is_some())
    }

    #[test]
    fn codes_and_statuses_of_responses_are_sorted() {
        for (code, status, meaning, reason) in [
            (Some("ThrottlingException"), 400, Meaning::Throttled, "ThrottlingException, HTTP 400"),
            (Some("TooManyRequestsException"), 400, Meaning::Throttled, "TooManyRequestsException, HTTP 400"),
            (None, 429, Meaning::Throttled, "no error code, HTTP 429"),
            (Some("InternalFailure"), 500, Meaning::Unanswered, "InternalFailure, HTTP 500"),
            (None, 503, Meaning::Unanswered, "no error code, HTTP 503"),
            (Some("ValidationException"), 400, Meaning::Refused, "ValidationException, HTTP 400"),
            (None, 403, Meaning::Refused, "no error code, HTTP 403"),
        ] {
            let metadata = code.map_or_else(ErrorMetadata::builder, |code| ErrorMetadata::builder().code(code)).build();
            let error = SdkError::service_error(metadata, response(status));
            assert_eq!(sorted(&error), (meaning, reason.to_owned(), true));
        }
    }

    #[test]
    fn errors_without_a_response_are_unanswered() {
        let lost = |error| SdkError::dispatch_failure(error);
        let transient = Some(ErrorKind::TransientError);
        for (error, reason) in [
            (SdkError::timeout_error("SECRET"), "no response in time"),
            (lost(ConnectorError::timeout("SECRET".into())), "no response in time"),
            (lost(ConnectorError::io("SECRET".into())), "the connection failed"),
            (lost(ConnectorError::other("SECRET".into(), transient)), "the connection failed"),
            (lost(ConnectorError::other("SECRET".into(), None)), "could not send the request"),
            (SdkError::response_error("SECRET", response(400)), "could not read the response"),
        ] {
            assert_eq!(sorted(&error), (Meaning::Unanswered, reason.to_owned(), false));
        }
    }

    #[test]
    fn broken_response_is_sorted_by_a_status_that_decides() {
        for (status, meaning, reason) in [
            (404, Meaning::Refused, "no error code, HTTP 404"),
            (503, Meaning::Unanswered, "no error code, HTTP 503"),
            (200, Meaning::Unanswered, "could not read the response"),
        ] {
            let error: SdkError<ErrorMetadata, _> = SdkError::response_error("SECRET", response(status));
            let failed = sort_by_status(&error, |status| status >= 300, |response| (response.meaning(), ()));
            assert_eq!((failed.meaning, failed.reason.as_str()), (meaning, reason));
            assert_eq!(failed.no_response.is_some(), status == 200);
        }
    }

    #[test]
    fn only_an_unsent_request_asks_for_credentials() {
        for (cause, reason) in [
            (NoResponse::NotSent, "could not send the request; does the function have credentials?"),
            (NoResponse::Late, "no response in time"),
        ] {
            assert_eq!(Failed::<()>::from(cause).with_credentials_hint().reason, reason);
        }
    }

    #[test]
    fn request_that_cannot_be_built_is_refused() {
        let error = SdkError::construction_failure("SECRET");
        assert_eq!(sorted(&error), (Meaning::Refused, "could not build the request".to_owned(), false));
    }
}
