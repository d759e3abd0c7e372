//! The age of an object, by S3's clock alone.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

/// Keeps the `Date` of a response. The SDK's outputs don't have it.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseDate(Arc<OnceLock<DateTime>>);

impl Intercept for ResponseDate {
    fn name(&self) -> &'static str {
        "ResponseDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok()) {
            let _ = self.0.set(date);
        }
        Ok(())
    }
}

impl ResponseDate {
    /// The least time since the object was written; `None` if the response lacks a date.
    pub(super) fn age_of(&self, last_modified: Option<&DateTime>) -> Option<Duration> {
        Some(at_least(*last_modified?, *self.0.get()?))
    }
}

/// S3 rounds both dates down to seconds, so the real difference may be a second less. S3 has many machines with their
/// own clocks, so the difference may be negative, which counts as zero.
fn at_least(from: DateTime, to: DateTime) -> Duration {
    let milliseconds = |date: DateTime| date.to_millis().unwrap_or_default();
    let difference = milliseconds(to).saturating_sub(milliseconds(from)).saturating_sub(1000);
    Duration::from_millis(u64::try_from(difference).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_never_too_high() {
        let at = DateTime::from_secs;
        assert_eq!(at_least(at(100), at(131)), Duration::from_secs(30));
        assert_eq!(at_least(at(100), at(100)), Duration::ZERO);
        assert_eq!(at_least(at(100), at(90)), Duration::ZERO);
        assert_eq!(at_least(DateTime::from_millis(100_999), at(131)), Duration::from_millis(29_001));
    }
}
