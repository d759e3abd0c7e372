//! CodePipeline's error codes, and the call that sorts them.

use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};

use crate::calls::{Budget, ErrorResponse, Meaning, Responded, retry, sort};

/// A call that failed, with all its tries.
pub(super) type GaveUp = crate::calls::GaveUp<Refusal>;

/// An error response of CodePipeline.
pub(super) struct Refusal {
    code: Option<String>,
    /// Whether the HTTP status says that the caller lacks a permission or valid credentials.
    is_denied: bool,
}

/// Calls CodePipeline until it responds or the budget is spent.
pub(super) async fn call<T, E, F>(budget: Budget, mut send: impl FnMut() -> F) -> Result<Responded<T>, GaveUp>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata,
{
    let try_once = || {
        let sent = send();
        async move { sent.await.map_err(|error| sort(&error, table).with_credentials_hint()) }
    };
    retry(budget, try_once).await
}

fn table(response: &ErrorResponse<'_>) -> (Meaning, Refusal) {
    (response.meaning(), Refusal { code: response.code.map(str::to_owned), is_denied: response.is_denied() })
}

/// The error code of the last try, if CodePipeline sent one.
pub(super) fn code(gave_up: &GaveUp) -> Option<&str> {
    gave_up.last.detail.as_ref()?.code.as_deref()
}

/// Whether CodePipeline refuses the caller, for any request ("Common Error Types", CodePipeline API reference).
pub(super) fn is_not_allowed(gave_up: &GaveUp) -> bool {
    const CODES: [&str; 10] = [
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "UnrecognizedClientException",
    ];
    let is_denied = gave_up.last.detail.as_ref().is_some_and(|refusal| refusal.is_denied);
    is_denied || code(gave_up).is_some_and(|code| CODES.contains(&code))
}

/// Whether CodePipeline says that the job is not on offer, or not with this nonce.
pub(super) fn is_not_on_offer(gave_up: &GaveUp) -> bool {
    const CODES: [&str; 4] =
        ["InvalidNonceException", "JobNotFoundException", "InvalidJobException", "InvalidJobStateException"];
    code(gave_up).is_some_and(|code| CODES.contains(&code))
}

/// Whether CodePipeline says that the job has finished or does not exist.
pub(super) fn has_finished(gave_up: &GaveUp) -> bool {
    matches!(code(gave_up), Some("InvalidJobStateException" | "JobNotFoundException"))
}

/// Whether CodePipeline refuses the content of the request. The API model has the first two codes. AWS's services share
/// the others ("Common Error Types", CodePipeline API reference).
pub(super) fn is_about_content(gave_up: &GaveUp) -> bool {
    const CODES: [&str; 5] = [
        "ValidationException",
        "OutputVariablesSizeExceededException",
        "ValidationError",
        "MalformedQueryString",
        "SerializationException",
    ];
    let is_listed = |code: &str| {
        CODES.contains(&code) || code.starts_with("InvalidParameter") || code.starts_with("RequestEntityTooLarge")
    };
    gave_up.last.meaning == Meaning::Refused && code(gave_up).is_some_and(is_listed)
}

/// Whether CodePipeline does not accept the client token.
pub(super) fn is_token_refused(gave_up: &GaveUp) -> bool {
    code(gave_up) == Some("InvalidClientTokenException")
}
