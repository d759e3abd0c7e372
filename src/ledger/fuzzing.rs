//! Entries, for `fuzz/`. No part of the public API.

use super::entry::{Content, Unreadable};

/// Whether the entry that a body holds is the same when it is written and read again; none is.
///
/// # Errors
/// When the body is no entry.
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
