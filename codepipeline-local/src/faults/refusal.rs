//! Responses to calls that a fault refuses.

use http::{Response, StatusCode};
use s3s::{Body, HttpError, S3Error, S3ErrorCode};

use super::call::Call;
use super::fault::FaultKind;
use crate::reply::failure;

/// The caller in an access-denied message. The emulator knows no roles, so it is always the same.
pub(crate) struct Caller {
    pub(crate) account_id: String,
    pub(crate) region: String,
}

/// The response to a refused call (CodePipeline API Reference, "Common Errors"; S3 API Reference, "Error responses").
pub(super) fn refusal(kind: FaultKind, call: &Call, caller: &Caller) -> Result<Response<Body>, HttpError> {
    if call.is_s3() {
        let (code, message) = match kind {
            FaultKind::Throttle => (S3ErrorCode::SlowDown, "Please reduce your request rate."),
            FaultKind::Deny => (S3ErrorCode::AccessDenied, "Access Denied"),
            _ => (S3ErrorCode::InternalError, "We encountered an internal error. Please try again."),
        };
        let error = S3Error::with_message(code, message);
        return error.to_http_response().map_err(|error| HttpError::new(Box::new(error)));
    }
    Ok(match kind {
        FaultKind::Throttle => failure(StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded"),
        FaultKind::Deny => failure(StatusCode::BAD_REQUEST, "AccessDeniedException", &denial(call, caller)),
        _ => {
            let message = "The request processing has failed because of an unknown error, exception or failure.";
            failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message)
        }
    })
}

/// The wording of IAM (IAM User Guide, "Troubleshoot access denied error messages").
fn denial(call: &Call, Caller { account_id, region }: &Caller) -> String {
    let service = if call.is_codepipeline() { "codepipeline" } else { "secretsmanager" };
    let action = format!("{service}:{}", call.operation().unwrap_or("*"));
    format!(
        "User: arn:aws:sts::{account_id}:assumed-role/worker/session is not authorized to perform: {action} on resource: \
         arn:aws:{service}:{region}:{account_id}:* because no identity-based policy allows the {action} action"
    )
}
