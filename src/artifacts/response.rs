//! Sorts S3's error responses for a job.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::error::{Problem, shown};
use crate::calls::{ErrorResponse, Failed, Meaning, NoResponse, sort_by_status};

/// The most characters of S3's own text in a message.
const LONGEST_TEXT: usize = 400;

/// The credentials that signed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The job's, from CodePipeline.
    Jobs,
    /// The function's own.
    Functions,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jobs => "the job's credentials, which come from the pipeline's role",
            Self::Functions => "the function's own credentials, which come from the function's role",
        })
    }
}

/// An error response of S3, as far as it has these parts. The text holds no credentials.
struct Response<'a> {
    error: ErrorResponse<'a>,
    text: Option<String>,
    request_id: Option<&'a str>,
}

impl fmt::Display for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, text, request_id } = self;
        match text {
            None => error.fmt(f)?,
            Some(text) => {
                write!(f, "{}: {text}", ErrorResponse { status: None, ..*error })?;
                error.status.map_or(Ok(()), |status| write!(f, ", HTTP {status}"))?;
            }
        }
        request_id.map_or(Ok(()), |id| write!(f, ", request id {}", shown(id)))
    }
}

/// Sorts an error of the SDK, which may hold whole requests. Only the code, the status, the request id and S3's text
/// get out. `mask` removes credentials from the text, which is cut. A response whose body broke off is sorted by its
/// status.
pub(super) fn problem<E>(
    doing: &'static str,
    whose: Whose,
    error: &SdkError<E, HttpResponse>,
    mask: impl Fn(&str) -> String,
) -> Problem
where
    E: ProvideErrorMetadata + Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let shortened = |text: &str| shortened(&mask(text));
    let failed = sort_by_status(
        error,
        |_| true,
        |response| {
            let text = error.message().map(shortened);
            let response = Response { error: *response, text, request_id: error.request_id() };
            (response.error.meaning(), refused(doing, whose, &response))
        },
    );
    let failed = if whose == Whose::Functions { failed.with_credentials_hint() } else { failed };
    let Failed { meaning, reason, detail, no_response } = failed;
    detail.unwrap_or_else(|| {
        let reason = match no_response {
            Some(NoResponse::Late) => reason,
            _ => format!("{reason} ({})", shortened(&cause(error))),
        };
        match meaning {
            Meaning::Refused => Problem::Refused { doing, reason },
            Meaning::Throttled | Meaning::Unanswered => Problem::Unavailable { doing, reason },
        }
    })
}

/// The innermost error's text, which names the cause. The SDK's own texts around it don't.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The text in one short line.
fn shortened(text: &str) -> String {
    let one_line = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let mut short: String = text.chars().take(LONGEST_TEXT).map(one_line).collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        short.push('…');
    }
    short
}

/// Codes: "Error responses", Amazon S3 API reference.
fn refused(doing: &'static str, whose: Whose, response: &Response<'_>) -> Problem {
    let (code, reason) = (response.error.code.unwrap_or_default(), response.to_string());
    match (code, response.error.status.unwrap_or_default()) {
        ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => Problem::Expired,
        ("NoSuchKey" | "NoSuchBucket" | "NoSuchVersion", _) => Problem::Missing { reason },
        ("PreconditionFailed", _) | (_, 412) => Problem::Replaced,
        ("SlowDown" | "RequestTimeout", _) => Problem::Unavailable { doing, reason },
        _ if response.error.meaning() != Meaning::Refused => Problem::Unavailable { doing, reason },
        ("AccessDenied" | "InvalidToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch", _) | (_, 401 | 403) => {
            Problem::Denied { doing, whose, reason, advice: advice(doing, whose, code) }
        }
        // S3 begins its response to a completion before the completion has ended, and may fail afterwards (Amazon S3
        // API reference, CompleteMultipartUpload).
        (_, 200) => Problem::Unavailable { doing, reason },
        // The bucket exists, although the object may not.
        ("NoSuchUpload", _) => Problem::Refused { doing, reason },
        (_, 404) => Problem::Missing { reason },
        _ => Problem::Refused { doing, reason },
    }
}

/// The change that makes S3 accept the request.
fn advice(doing: &str, whose: Whose, code: &str) -> String {
    match code {
        "InvalidToken" | "InvalidAccessKeyId" => {
            return "S3 does not know these credentials: check that the function and the pipeline are in one partition, and that \
                    no AWS_ENDPOINT_URL leads to another S3"
                .to_owned();
        }
        "SignatureDoesNotMatch" => {
            return "check that nothing between the function and S3, such as a proxy, changes requests".to_owned();
        }
        "RequestTimeTooSkewed" => return "correct the clock of the machine".to_owned(),
        _ => {}
    }
    let (action, key_action) = match doing {
        super::download::DOING => ("s3:GetObject", "kms:Decrypt"),
        super::upload::ABORTING => ("s3:AbortMultipartUpload", "kms:Decrypt"),
        _ => ("s3:PutObject", "kms:GenerateDataKey and kms:Decrypt"),
    };
    let policies = match whose {
        Whose::Jobs => "in the pipeline's role and in the policies of the bucket and the key",
        Whose::Functions => "in the function's role and in the policies of the bucket and the key",
    };
    let missing = match action {
        "s3:GetObject" => "; an object that does not exist is denied as well, unless s3:ListBucket is allowed",
        _ => "",
    };
    format!("allow {action} on the object, and {key_action} on its KMS key, {policies}{missing}")
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_sdk_s3::primitives::SdkBody;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    const READ: &str = "could not read the object: ";

    fn said(whose: Whose, code: &str, status: u16, text: Option<&str>, request_id: Option<&str>) -> String {
        let error = ErrorResponse { code: Some(code).filter(|code| !code.is_empty()), status: Some(status) };
        let response = Response { error, text: text.map(shortened), request_id };
        refused(super::super::download::DOING, whose, &response).to_string()
    }

    #[test]
    fn codes_and_statuses_are_sorted() {
        for (code, status, expected) in [
            ("ExpiredToken", 400, "the job's credentials have expired".to_owned()),
            ("NoSuchKey", 404, "the object or the bucket does not exist (NoSuchKey, HTTP 404)".to_owned()),
            ("", 412, "the object was replaced while it was read; run the action again".to_owned()),
            ("SlowDown", 503, format!("{READ}SlowDown, HTTP 503; S3 may be down or out of reach")),
            ("InternalError", 500, format!("{READ}InternalError, HTTP 500; S3 may be down or out of reach")),
            ("InternalError", 200, format!("{READ}InternalError, HTTP 200; S3 may be down or out of reach")),
            ("NoSuchUpload", 404, "S3 refused to read the object (NoSuchUpload, HTTP 404)".to_owned()),
            (
                "KMS.NotFoundException",
                400,
                "S3 refused to read the object (KMS.NotFoundException, HTTP 400)".to_owned(),
            ),
        ] {
            assert_eq!(said(Whose::Jobs, code, status, None, None), expected);
        }
    }

    #[test]
    fn response_with_a_broken_body_is_sorted_by_status() {
        let problem = |status: u16| {
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("<Err"));
            let error: SdkError<GetObjectError, _> = SdkError::response_error("broken", response);
            problem(super::super::download::DOING, Whose::Jobs, &error, str::to_owned)
        };
        assert_eq!(problem(412), Problem::Replaced);
        assert!(matches!(problem(403), Problem::Denied { .. }));
        assert_eq!(problem(404), Problem::Missing { reason: "no error code, HTTP 404".to_owned() });
        for status in [200, 503] {
            assert!(matches!(problem(status), Problem::Unavailable { .. }), "{status}");
        }
    }

    #[test]
    fn only_the_functions_credentials_are_asked_for() {
        for (whose, expected) in [
            (Whose::Jobs, "could not send the request (broken)"),
            (Whose::Functions, "could not send the request; does the function have credentials? (broken)"),
        ] {
            let error: SdkError<GetObjectError, _> =
                SdkError::dispatch_failure(ConnectorError::other("broken".into(), None));
            let problem = problem(super::super::download::DOING, whose, &error, str::to_owned);
            let (doing, reason) = (super::super::download::DOING, expected.to_owned());
            assert_eq!(problem, Problem::Unavailable { doing, reason });
        }
    }

    #[test]
    fn denial_names_the_credentials_and_the_permission() {
        let text = "User: arn:aws:sts::111122223333:assumed-role/Pipeline/1 is not authorized to perform: kms:Decrypt";
        let denied = said(Whose::Jobs, "AccessDenied", 403, Some(text), Some("TX4Z"));
        let expected = format!(
            "S3 denied the request to read the object with the job's credentials, which come from the pipeline's role \
             (AccessDenied: {text}, HTTP 403, request id TX4Z): allow s3:GetObject on the object, and kms:Decrypt on its KMS key, \
             in the pipeline's role and in the policies of the bucket and the key; an object that does not exist is denied as \
             well, unless s3:ListBucket is allowed"
        );
        assert_eq!(denied, expected);
        let denied = said(Whose::Functions, "AccessDenied", 403, None, None);
        assert!(denied.contains("with the function's own credentials") && denied.contains("in the function's role"));
    }

    #[test]
    fn unknown_credentials_need_no_permission() {
        for code in ["InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"] {
            let denied = said(Whose::Jobs, code, 403, None, None);
            assert!(denied.contains("the job's credentials") && !denied.contains("allow s3:"), "{denied}");
        }
    }

    #[test]
    fn text_of_s3_becomes_one_short_line() {
        let text = format!("a\r\n\u{1b}[31m\"b\" {}", "x".repeat(LONGEST_TEXT));
        let shortened = shortened(&text);
        assert!(shortened.starts_with("a\\r\\n\\u{1b}[31m\"b\" xx") && shortened.ends_with("x…"), "{shortened}");
    }
}
