//! Requests about an upload. The meaning of a refusal depends on earlier tries, so the SDK's own retries are off.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::super::caller::Caller;
use super::super::error::Problem;
use crate::calls::{Failed, Meaning, Pauses, retry_paced};

/// Five tries pause for at most 0.5 + 1 + 2 + 4 s = 7.5 s in all.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(500), Duration::from_secs(5));

/// A request that failed after all its tries.
pub(super) struct FailedRequest {
    /// How the last try failed.
    pub(super) problem: Problem,
    /// Whether S3 said, at the last try, that there is no such upload.
    pub(super) is_gone: bool,
    /// Whether any of the tries may have taken effect.
    pub(super) unanswered: bool,
}

/// Sends a request up to `most` times, until it succeeds or S3 refuses it. The caller sets the deadline.
pub(super) async fn tries<T, E, F>(
    caller: &Caller,
    doing: &'static str,
    most: u32,
    mut send: impl FnMut() -> F,
) -> Result<T, FailedRequest>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let try_once = || {
        let sent = send();
        async move {
            match sent.await {
                Ok(response) => Ok(response),
                Err(error) => Err(failed(caller.problem(doing, &error).await, error.code() == Some("NoSuchUpload"))),
            }
        }
    };
    let responded = retry_paced(None, |tried, _| (tried < most).then(|| PAUSES.after(tried)), try_once).await;
    responded.map(|responded| responded.response).map_err(|gave_up| {
        let unanswered = gave_up.is_unanswered();
        let (problem, is_gone) = gave_up.last.detail.unwrap_or((Problem::Interrupted, false));
        FailedRequest { problem, is_gone, unanswered }
    })
}

fn failed(problem: Problem, is_gone: bool) -> Failed<(Problem, bool)> {
    let meaning = match problem {
        // A throttle counts as unanswered too. That does no harm, because the worker then looks at the object.
        Problem::Unavailable { .. } => Meaning::Unanswered,
        // Fresh credentials sign the next try.
        Problem::Expired => Meaning::Throttled,
        _ => Meaning::Refused,
    };
    Failed { meaning, reason: problem.to_string(), detail: Some((problem, is_gone)), no_response: None }
}
