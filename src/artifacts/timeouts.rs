//! How long S3 may take to answer. Bodies of answers have no time of their own: one that stands still ends by the SDK's
//! stalled stream protection, and one that is slow goes on.
//!
//! The SDK tries each request three times, with pauses of at most 1 + 2 s. A request that is not answered costs 3 × 10 s and
//! 3 s, one with a body 3 × 60 s and 3 s. The one that completes an upload is tried five times, by `upload/ending`: 5 × 60 s and
//! 7.5 s where none is answered, and 5 × 300 s and 7.5 s at most. All of it lies within the job's turn, which ends in time for
//! its report and drops whatever is under way.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;

const CONNECT: Duration = Duration::from_secs(3);
/// From the request until its answer begins; a range of 1 MiB begins within a second.
const ANSWER: Duration = Duration::from_secs(10);
/// One attempt of a request.
const ATTEMPT: Duration = Duration::from_secs(60);
/// The time until the answer begins includes that in which the request's body is sent: 4 parts of 5 MiB within a minute
/// take 2.8 Mbit/s.
const ANSWER_TO_A_BODY: Duration = Duration::from_secs(60);
/// `CompleteMultipartUpload` answers at once, but its body may take several minutes (Amazon S3 API reference).
const LONG_ATTEMPT: Duration = Duration::from_secs(300);

/// For most requests.
pub(super) fn usual() -> TimeoutConfig {
    of(ANSWER, ATTEMPT)
}

/// For requests that send a part or an object, and for the one that completes an upload; to override a client's own.
pub(super) fn for_uploads() -> Builder {
    Builder::new().timeout_config(of(ANSWER_TO_A_BODY, LONG_ATTEMPT))
}

fn of(answer: Duration, attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(answer).operation_attempt_timeout(attempt).build()
}
