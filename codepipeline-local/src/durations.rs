//! Reads durations: a whole number with a unit, or of seconds without one.

use std::time::Duration;

/// Reads `250ms`, `30s`, `15m`, `24h`, or `30` for seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| wrong(text))?;
    let milliseconds = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong(text)),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| wrong(text))
}

/// Reads a duration of 1 ms or more.
pub(crate) fn parse_some(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err(format!("{text:?} is too short: write 1ms or more")),
        some => Ok(some),
    }
}

/// A duration, or `never`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OrNever(pub(crate) Option<Duration>);

/// Reads a duration or `never`.
pub(crate) fn parse_or_never(text: &str) -> Result<OrNever, String> {
    if text == "never" {
        return Ok(OrNever(None));
    }
    parse(text).map(|duration| OrNever(Some(duration))).map_err(|error| format!("{error}; or write never"))
}

/// Reads a duration of 1 ms or more, or `never`.
pub(crate) fn parse_some_or_never(text: &str) -> Result<OrNever, String> {
    match parse_or_never(text)? {
        OrNever(Some(Duration::ZERO)) => Err(format!("{text:?} is too short: write 1ms or more, or never")),
        other => Ok(other),
    }
}

fn wrong(text: &str) -> String {
    format!(
        "{text:?} is not a duration: write a whole number with ms, s, m or h, as in 250ms or 30s; without a unit it counts seconds"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_with_unit_is_a_duration() {
        let read = ["0s", "250ms", "15m", "24h", "30"].map(|text| parse(text).unwrap().as_millis());
        assert_eq!(read, [0, 250, 900_000, 86_400_000, 30_000]);
        assert_eq!(parse_or_never("never"), Ok(OrNever(None)));
    }

    #[test]
    fn zero_is_refused_where_time_is_required() {
        for zero in ["0", "0s", "0ms", "00h"] {
            assert!(parse_some(zero).unwrap_err().contains("1ms or more"), "{zero}");
            assert!(parse_some_or_never(zero).unwrap_err().contains("or never"), "{zero}");
        }
        assert_eq!(parse_some("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(parse_some_or_never("never"), Ok(OrNever(None)));
        assert_eq!(parse_some_or_never("2s"), Ok(OrNever(Some(Duration::from_secs(2)))));
    }

    #[test]
    fn malformed_duration_is_named_in_the_error() {
        for text in ["", "s", "-1s", "1.5s", "1d", "99999999999999999999h", "é"] {
            assert!(parse(text).unwrap_err().contains(text), "{text}");
            assert!(parse_or_never(text).unwrap_err().ends_with("counts seconds; or write never"), "{text}");
        }
    }
}
