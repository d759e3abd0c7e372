//! Times that an action's work reports, such as the creation of a revision.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
#[cfg(any(test, feature = "http", feature = "state-machine"))]
use serde_json::Value;

/// The format that [`of_text`] reads, for messages.
pub(super) const RULE: &str = "RFC 3339 (2026-01-31T12:00:00Z) or seconds since 1970, in the years 1970 to 9999";

/// The last second of 9999, beyond which clients of the API can't write a time.
const LAST: i64 = 253_402_300_799;

/// Parses whole seconds since 1970.
pub(super) fn of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let seconds = match text.parse::<f64>() {
        Ok(seconds) => whole(seconds)?,
        Err(_) => {
            // `date --rfc-3339` writes a space, which the format allows.
            let text = text.replacen(' ', "T", 1).to_ascii_uppercase();
            DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?.secs()
        }
    };
    (0..=LAST).contains(&seconds).then_some(seconds)
}

/// Parses whole seconds since 1970 from a number or a string.
#[cfg(any(test, feature = "http", feature = "state-machine"))]
pub(super) fn of_json(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => of_text(text),
        Value::Number(_) => of_text(&value.to_string()),
        _ => None,
    }
}

fn whole(seconds: f64) -> Option<i64> {
    (0.0..=LAST as f64).contains(&seconds).then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_git_and_date_print_is_read() {
        for text in [
            "2015-10-21T07:28:00Z",
            "2015-10-21T09:28:00+02:00",
            "2015-10-21t07:28:00.999z",
            "2015-10-21 07:28:00+00:00",
            " 1445412480\n",
            "1445412480.75",
        ] {
            assert_eq!(of_text(text), Some(1_445_412_480), "{text}");
        }
        assert_eq!(of_json(&json!(1_445_412_480)), Some(1_445_412_480));
        assert_eq!(of_json(&json!("1445412480")), Some(1_445_412_480));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "yesterday",
            "2015-10-21",
            "2015-10-21T07:28:00",
            "-1",
            "1e300",
            "NaN",
            "253402300800",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert_eq!(of_json(&json!({"at": 1})), None);
    }
}
