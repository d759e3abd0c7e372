//! Members of a JSON object that an operator wrote.

use serde_json::{Map, Value};

use super::{Problems, shown_key};

/// Reports each member that is not one of `known`.
pub(crate) fn only_known(members: &Map<String, Value>, path: &str, known: &[&str], problems: &mut Problems) {
    for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
        problems.add(path, format_args!("has no member '{}'; it has {}", shown_key(key), known.join(", ")));
    }
}

/// A whole number of seconds, or `default` if there is no value. CloudFormation passes a Number parameter as a string.
pub(crate) fn whole_seconds(value: Option<&Value>, default: u64) -> Option<u64> {
    match value {
        None => Some(default),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    }
}
