//! Comparisons with strings.

use serde_json::Value;

use super::members::{self, only};
use super::wildcard::Wildcard;

/// A comparison with a string.
#[derive(Debug)]
pub(super) enum Text {
    Prefix(String),
    Suffix(String),
    /// It is this string in any case.
    AnyCase(String),
    /// It begins with this, in any case.
    AnyCasePrefix(String),
    /// It ends with this, in any case.
    AnyCaseSuffix(String),
    Wildcard(Wildcard),
}

const ANY_CASE: &str = "equals-ignore-case";

impl Text {
    /// Reads the value of `prefix`, `suffix`, `equals-ignore-case` or `wildcard`.
    pub(super) fn read(name: &str, with: &Value) -> Result<Self, String> {
        if let (Value::Object(members), "prefix" | "suffix") = (with, name) {
            let (inner, text) = only(members, ANY_CASE)?;
            if inner != ANY_CASE {
                return Err(format!("{inner:?} can't be in {name}; use {ANY_CASE}"));
            }
            let text = members::text(inner, text)?.to_owned();
            return Ok(if name == "prefix" { Self::AnyCasePrefix(text) } else { Self::AnyCaseSuffix(text) });
        }
        let text = members::text(name, with)?;
        Ok(match name {
            "prefix" => Self::Prefix(text.to_owned()),
            "suffix" => Self::Suffix(text.to_owned()),
            ANY_CASE => Self::AnyCase(text.to_owned()),
            _ => Self::Wildcard(Wildcard::read(text)?),
        })
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::AnyCase(wanted) => {
                text.chars().count() == wanted.chars().count() && begins(text.chars(), wanted.chars())
            }
            Self::AnyCasePrefix(prefix) => begins(text.chars(), prefix.chars()),
            Self::AnyCaseSuffix(suffix) => begins(text.chars().rev(), suffix.chars().rev()),
            Self::Wildcard(wildcard) => wildcard.fits(text),
        }
    }
}

fn begins(mut text: impl Iterator<Item = char>, mut with: impl Iterator<Item = char>) -> bool {
    with.all(|wanted| text.next().is_some_and(|character| is_same_letter(character, wanted)))
}

fn is_same_letter(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase()) || one.to_uppercase().eq(other.to_uppercase())
}
