//! Waiting for a condition, and unwrapping results with the service's error.

use std::error::Error;
use std::time::Duration;

use aws_sdk_codepipeline::error::DisplayErrorContext;
use tokio::time::Instant;

/// How long a test waits for something that takes milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds, for at most a minute.
///
/// # Panics
/// If it does not hold within this time.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < patience, "the condition did not hold within a minute");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The response of an operation. Panics with the whole error if the call failed.
pub(super) fn done<T, E: Error>(operation: &str, response: Result<T, E>) -> T {
    response.unwrap_or_else(|error| panic!("{operation} failed: {}", DisplayErrorContext(error)))
}

/// The value that a builder of the SDK builds. Panics if a required member is missing.
pub(super) fn built<T, E: Error>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
