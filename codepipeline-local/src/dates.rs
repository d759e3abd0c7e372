//! Writes moments as text.

use std::time::{Duration, UNIX_EPOCH};

use s3s::dto::{Timestamp as Date, TimestampFormat};

use crate::types::Timestamp;

/// Writes a moment as in `2027-01-15T08:00:00.123Z`.
pub(crate) fn iso(at: Timestamp) -> String {
    let mut text = Vec::new();
    // Writing to memory can't fail for a date that a clock shows.
    let _ = Date::from(UNIX_EPOCH + Duration::from_millis(at.0)).format(TimestampFormat::DateTime, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Like [`iso`], without the fraction of the second.
pub(crate) fn iso_seconds(at: Timestamp) -> String {
    iso(Timestamp(at.0 / 1000 * 1000)).replace(".000Z", "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_an_optional_fraction() {
        let at = Timestamp(1_800_000_000_123);
        assert_eq!((iso(at).as_str(), iso_seconds(at).as_str()), ("2027-01-15T08:00:00.123Z", "2027-01-15T08:00:00Z"));
    }
}
