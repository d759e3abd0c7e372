//! What S3's refusals and failures mean for a job.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::error::Problem;

/// Sorts an error of the SDK. Only the error code and the status get out: the error itself may hold whole requests.
pub(super) fn problem<E: ProvideErrorMetadata>(doing: &'static str, error: &SdkError<E, HttpResponse>) -> Problem {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match error {
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
            answered(doing, error.code().unwrap_or("no error code"), status.unwrap_or_default())
        }
        SdkError::TimeoutError(_) => unavailable(doing, "no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => unavailable(doing, "no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_io() => unavailable(doing, "the connection failed"),
        SdkError::DispatchFailure(_) => unavailable(doing, "the connection broke off"),
        _ => Problem::Refused { doing, reply: "the request could not be made".to_owned() },
    }
}

fn unavailable(doing: &'static str, reply: &str) -> Problem {
    Problem::Unavailable { doing, reply: reply.to_owned() }
}

/// Codes: "Error responses", Amazon S3 API reference.
fn answered(doing: &'static str, code: &str, status: u16) -> Problem {
    let reply = format!("{code}, HTTP {status}");
    match (code, status) {
        ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => Problem::Expired,
        ("NoSuchKey" | "NoSuchBucket" | "NoSuchVersion", _) => Problem::Missing { reply },
        ("PreconditionFailed", _) | (_, 412) => Problem::Replaced,
        ("SlowDown" | "RequestTimeout" | "Throttling" | "ThrottlingException", _) | (_, 429 | 500..) => {
            Problem::Unavailable { doing, reply }
        }
        ("AccessDenied" | "InvalidToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch", _) | (_, 401 | 403) => {
            Problem::Denied { doing, reply }
        }
        // S3 begins its answer to a completion before it knows how that ends, and may then fail at it (Amazon S3 API reference,
        // CompleteMultipartUpload). An answer that can't be read leaves its outcome open just the same.
        (_, 200) => Problem::Unavailable { doing, reply },
        // There the bucket is, and the object need not be.
        ("NoSuchUpload", _) => Problem::Refused { doing, reply },
        (_, 404) => Problem::Missing { reply },
        _ => Problem::Refused { doing, reply },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_become_the_callers_decisions() {
        let doing = "read the object";
        for (code, status, expected) in [
            ("ExpiredToken", 400, "the job's credentials have expired"),
            ("NoSuchKey", 404, "there is no such object or bucket (NoSuchKey, HTTP 404)"),
            ("no error code", 412, "the object was replaced while it was read; run the action again"),
            ("AccessDenied", 403, "S3 does not allow to read the object (AccessDenied, HTTP 403)"),
            ("InvalidToken", 400, "S3 does not allow to read the object (InvalidToken, HTTP 400)"),
            ("SlowDown", 503, "could not read the object: SlowDown, HTTP 503; S3 may be down or out of reach"),
            (
                "InternalError",
                500,
                "could not read the object: InternalError, HTTP 500; S3 may be down or out of reach",
            ),
            (
                "InternalError",
                200,
                "could not read the object: InternalError, HTTP 200; S3 may be down or out of reach",
            ),
            ("NoSuchUpload", 404, "S3 refuses to read the object (NoSuchUpload, HTTP 404)"),
            ("KMS.NotFoundException", 400, "S3 refuses to read the object (KMS.NotFoundException, HTTP 400)"),
        ] {
            assert_eq!(answered(doing, code, status).to_string(), expected);
        }
    }
}
