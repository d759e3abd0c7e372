//! Tries a request until it is answered, and remembers whether an earlier try may have taken effect, which the SDK's own
//! retries do not tell: with these the client's are off.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use tokio::time::sleep;

use super::super::caller::Caller;
use super::super::error::Problem;
use crate::backoff::Backoff;

/// Five tries pause for at most 0.5 + 1 + 2 + 4 s = 7.5 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The end of all tries.
pub(super) struct Failed {
    /// What the last one ran into.
    pub(super) problem: Problem,
    /// Whether S3 said at last that it knows no such upload.
    pub(super) is_gone: bool,
    /// Whether any of them may have taken effect: it had no answer, or one that leaves it open.
    pub(super) doubtful: bool,
}

/// Sends a request up to `most` times. One that is not answered, or that S3 failed at, is sent again after a random pause, and so
/// is one whose credentials had expired: fresh ones sign the next.
pub(super) async fn tries<T, E, F>(
    caller: &Caller,
    doing: &'static str,
    most: u32,
    mut send: impl FnMut() -> F,
) -> Result<T, Failed>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut doubtful = false;
    let mut tried = 0;
    loop {
        tried += 1;
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let problem = caller.problem(doing, &error).await;
        // A throttle has no effect, but no harm is in the doubt.
        let in_doubt = matches!(problem, Problem::Unavailable { .. });
        doubtful |= in_doubt;
        if tried >= most || !(in_doubt || problem == Problem::Expired) {
            return Err(Failed { problem, is_gone: error.code() == Some("NoSuchUpload"), doubtful });
        }
        sleep(backoff.pause()).await;
    }
}
