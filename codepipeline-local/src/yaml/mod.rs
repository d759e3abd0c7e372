//! Reads YAML and JSON into a tree that keeps tags and lines.
//!
//! The text may come from anywhere, so its size, its depth and what its aliases expand to have limits.

pub(crate) use builder::Repeated;
pub(crate) use node::{Content, Node};
pub(crate) use unreadable::Unreadable;

mod builder;
mod json;
mod limits;
mod node;
#[cfg(test)]
mod tests;
mod unreadable;

/// How long a text may be. CloudFormation takes templates of up to 1 MB.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// Reads one document of YAML 1.2. Returns an error if the text is not YAML, holds several documents or exceeds a limit.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    builder::read(without_mark(check_length(text)?))
}

/// Reads one document. The last value of a repeated key counts. Returns the keys that are repeated, too. Up to 100 may be.
pub(crate) fn read_last_values(text: &str) -> Result<(Node, Vec<Repeated>), Unreadable> {
    builder::read_last_values(without_mark(check_length(text)?))
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
