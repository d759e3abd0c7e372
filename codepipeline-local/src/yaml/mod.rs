//! Reads YAML and JSON into a tree that keeps tags and lines.
//!
//! The text may come from anywhere, so its size, its depth and what its aliases expand to have limits.

use std::fmt;

pub(crate) use node::{Content, Node, Scalar};

mod builder;
mod json;
mod node;
#[cfg(test)]
mod tests;

/// How long a text may be. CloudFormation takes templates of up to 1 MB.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// How many values a document may have, with its aliases expanded.
const MAX_NODES: usize = 500_000;

/// How many bytes the values of a document may have, with its aliases expanded.
const MAX_EXPANDED_BYTES: usize = 64 << 20;

/// How deep lists and maps may be nested. `serde_json` allows 127.
const MAX_DEPTH: usize = 100;

/// Why a text is not a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// From 1.
    pub(crate) line: Option<usize>,
    pub(crate) why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.why),
            None => formatter.write_str(&self.why),
        }
    }
}

/// Reads one document of YAML 1.2. Returns an error if the text is not YAML, holds several documents or exceeds a limit.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    builder::read(without_mark(check_length(text)?))
}

/// Reads JSON. Returns an error if the text is not JSON or exceeds a limit.
pub(crate) fn read_json(text: &str) -> Result<Node, Unreadable> {
    json::read(without_mark(check_length(text)?))
}

fn check_length(text: &str) -> Result<&str, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable { line: None, why: format!("has {} bytes; at most {MAX_BYTES} are read", text.len()) });
    }
    Ok(text)
}

/// The text without a byte order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
