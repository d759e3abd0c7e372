//! Reads and writes entries for `fuzz/`. Not part of the public API.

use super::entry::{Content, Unreadable};

/// Whether an entry stays the same when it is written and read again. An empty body stays the same.
///
/// # Errors
/// Returns an error if the body is not an entry.
pub fn is_the_same_again(body: &[u8]) -> Result<bool, Unreadable> {
    match Content::of(body) {
        Content::Done => Ok(true),
        Content::Unreadable(why) => Err(why),
        Content::Entry(entry, write) => match Content::of(&entry.to_bytes(&write)) {
            Content::Entry(again, write_again) => Ok(again == entry && write_again == write),
            Content::Done | Content::Unreadable(_) => Ok(false),
        },
    }
}
