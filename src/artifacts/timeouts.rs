//! How long S3 may take to respond. The body of a response has no limit of its own: the SDK's stalled stream protection
//! ends one that stops, and a slow one continues.
//!
//! The SDK tries each request three times, with pauses of at most 1 + 2 s. An unanswered request takes 3 × 10 s and 3
//! s, and one with a body 3 × 60 s and 3 s. `upload/ending` tries five times to complete an upload. That takes 5 × 60 s
//! and 7.5 s if no try gets a response, and never more than 5 × 300 s and 7.5 s. All of it lies within the job's turn,
//! which ends in time for its report and cuts off any request.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;

const CONNECT: Duration = Duration::from_secs(3);
/// The time until the response begins. A range of 1 MiB begins within a second.
const RESPONSE: Duration = Duration::from_secs(10);
/// One try of a request.
const ATTEMPT: Duration = Duration::from_secs(60);
/// This time includes sending the request's body. 4 parts of 5 MiB within a minute need 2.8 Mbit/s.
const RESPONSE_TO_A_BODY: Duration = Duration::from_secs(60);
/// `CompleteMultipartUpload` responds at once, but its body may take several minutes (Amazon S3 API reference).
const LONG_ATTEMPT: Duration = Duration::from_secs(300);

/// For most requests.
pub(super) fn usual() -> TimeoutConfig {
    of(RESPONSE, ATTEMPT)
}

/// For requests that send a part or an object, and for the one that completes an upload. Overrides the client's own.
pub(super) fn for_uploads() -> Builder {
    Builder::new().timeout_config(of(RESPONSE_TO_A_BODY, LONG_ATTEMPT))
}

fn of(response: Duration, attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(response).operation_attempt_timeout(attempt).build()
}
