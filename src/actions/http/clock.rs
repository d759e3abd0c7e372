//! Times in messages and headers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Returns the time of day, which a signature includes.
pub type Clock = fn() -> SystemTime;

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in outside of tests")]
pub fn system_clock() -> SystemTime {
    SystemTime::now()
}

/// Whole seconds since 1970; 0 for any earlier time.
pub(super) fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// `2026-01-31T23:59:59Z`.
pub(super) fn rfc3339(seconds: i64) -> String {
    DateTime::from_secs(seconds).to_string()
}

/// How long a `Retry-After` header asks to wait (RFC 9110, section 10.2.3: seconds or a date).
pub(super) fn retry_after(value: &str, now_seconds: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::from_str(value, Format::HttpDate).ok()?;
    Some(Duration::from_secs(u64::try_from(date.secs().saturating_sub(now_seconds)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_reads_as_seconds_or_as_a_date() {
        let now = 1_445_412_420;
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn timestamps_are_utc_to_the_second() {
        assert_eq!(rfc3339(1_445_412_480), "2015-10-21T07:28:00Z");
        assert_eq!(unix_seconds(UNIX_EPOCH + Duration::from_millis(1_445_412_480_999)), 1_445_412_480);
    }
}
