//! Moments as S3 writes them.

use std::time::{Duration, UNIX_EPOCH};

use s3s::dto::Timestamp as Date;

use crate::types::Timestamp;

/// A moment as S3 answers it.
pub(super) fn date(moment: Timestamp) -> Date {
    Date::from(UNIX_EPOCH + Duration::from_millis(moment.0))
}
