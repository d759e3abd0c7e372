//! One choice in a pattern's list: a value or a named comparison.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::members::{only, text};
use super::network::Network;
use super::numbers::{self, Range};
use super::text::Text;

/// A comparison with a value of an event.
#[derive(Debug)]
pub(super) enum Comparison {
    /// The value is this string, number, boolean or null.
    Equals(Value),
    /// The value is this address, in any notation.
    Address(IpAddr),
    /// The value is a string of this kind.
    Text(Text),
    /// The value is a number in this range.
    Number(Range),
    /// The value is an address in this network.
    Network(Network),
    /// There is a value, and it is not one of these.
    AnythingBut(Vec<Comparison>),
    /// `true`: there is a value. `false`: there is not.
    Exists(bool),
}

impl Comparison {
    /// Whether an existing value matches: a string, a number, a boolean or null.
    pub(super) fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Equals(Value::Number(wanted)) => {
                value.as_number().is_some_and(|number| numbers::are_equal(number, wanted))
            }
            Self::Equals(wanted) => wanted == value,
            Self::Address(wanted) => value.as_str().and_then(|text| text.parse().ok()) == Some(*wanted),
            Self::Text(wanted) => value.as_str().is_some_and(|text| wanted.fits(text)),
            Self::Number(range) => value.as_f64().is_some_and(|number| range.contains(number)),
            Self::Network(network) => value.as_str().is_some_and(|text| network.contains(text)),
            Self::AnythingBut(others) => !others.iter().any(|other| other.fits(value)),
            Self::Exists(wanted) => *wanted,
        }
    }
}

const KNOWN: &str = "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr and exists";

/// Reads a choice. The error names the mistake.
pub(super) fn read(choice: &Value) -> Result<Comparison, String> {
    match choice {
        Value::String(text) => Ok(match text.parse() {
            Ok(address) => Comparison::Address(address),
            Err(_) => Comparison::Equals(choice.clone()),
        }),
        Value::Number(_) | Value::Bool(_) | Value::Null => Ok(Comparison::Equals(choice.clone())),
        Value::Array(_) => Err("a list can't contain a list; write a value or a comparison".to_owned()),
        Value::Object(members) => named(members),
    }
}

fn named(members: &Map<String, Value>) -> Result<Comparison, String> {
    let (name, with) = only(members, KNOWN)?;
    match name {
        "exactly" => text(name, with).map(|text| Comparison::Equals(text.into())),
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => Text::read(name, with).map(Comparison::Text),
        "anything-but" => anything_but(with).map(Comparison::AnythingBut),
        "numeric" => Range::read(with).map(Comparison::Number),
        "cidr" => text(name, with).and_then(Network::read).map(Comparison::Network),
        "exists" => {
            let exists = with.as_bool().ok_or("exists compares with true or false")?;
            Ok(Comparison::Exists(exists))
        }
        _ => Err(format!("{name:?} is not a comparison; use {KNOWN}")),
    }
}

/// Reads the values that `anything-but` excludes: strings or numbers, or comparisons of one kind with strings.
fn anything_but(with: &Value) -> Result<Vec<Comparison>, String> {
    if let Value::Object(members) = with {
        let known = "prefix, suffix, equals-ignore-case and wildcard in anything-but";
        let (name, with) = only(members, known)?;
        if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&name) {
            return Err(format!("{name:?} can't be in anything-but; use {known}"));
        }
        let texts = list(with).iter().map(|text| {
            if matches!(name, "prefix" | "suffix") && text.as_str().is_none_or(str::is_empty) {
                return Err(format!(
                    "in anything-but, {name} compares with a string that is not empty, or a list of them"
                ));
            }
            Text::read(name, text).map(Comparison::Text)
        });
        return some(texts.collect::<Result<_, _>>()?);
    }
    let values = list(with);
    let (strings, numbers) = (values.iter().all(Value::is_string), values.iter().all(Value::is_number));
    if !strings && !numbers {
        return Err(
            "anything-but compares with a string, a number, a list of only strings or only numbers, or an object"
                .to_owned(),
        );
    }
    for number in values.iter().filter_map(Value::as_f64) {
        numbers::in_bounds(number)?;
    }
    some(values.iter().cloned().map(Comparison::Equals).collect())
}

fn list(with: &Value) -> &[Value] {
    with.as_array().map_or(std::slice::from_ref(with), Vec::as_slice)
}

fn some(others: Vec<Comparison>) -> Result<Vec<Comparison>, String> {
    if others.is_empty() { Err("the list of anything-but is empty".to_owned()) } else { Ok(others) }
}
