//! Times in S3's form.

use std::time::{Duration, UNIX_EPOCH};

use s3s::dto::Timestamp as Date;

use crate::types::Timestamp;

/// A time in S3's form.
pub(super) fn date(moment: Timestamp) -> Date {
    Date::from(UNIX_EPOCH + Duration::from_millis(moment.0))
}
