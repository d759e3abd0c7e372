//! Reads members of a comparison's JSON.

use serde_json::{Map, Value};

/// The only member of a comparison.
pub(super) fn only<'a>(members: &'a Map<String, Value>, known: &str) -> Result<(&'a str, &'a Value), String> {
    let mut all = members.iter();
    match (all.next(), all.next()) {
        (Some((name, with)), None) => Ok((name, with)),
        _ => Err(format!("a comparison has one name and not {}; use {known}", members.len())),
    }
}

/// The string that a comparison needs.
pub(super) fn text<'a>(name: &str, with: &'a Value) -> Result<&'a str, String> {
    with.as_str().ok_or_else(|| format!("{name} compares with a string"))
}
