//! Entries with the same name or with conflicting names.

use std::cmp::Ordering;

use super::super::super::error::{Problem, shown};
use super::index::{Entry, EntryType};

/// Marks the entries that take effect, in the directory's order. Of several files or links with the same name, the last takes
/// effect, because unzip overwrites the others. Of several folders, the first takes effect, because unzip keeps its attributes.
///
/// # Errors
/// If a name belongs to a folder and to another entry. unzip can't create both either.
pub(super) fn effective<'p>(entries: &[Entry], path: impl Fn(&Entry) -> &'p [u8]) -> Result<Vec<bool>, Problem> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // The sort is stable: equal paths stay in the directory's order.
    order.sort_by(|one, other| by_folder(path(&entries[*one]), path(&entries[*other])));
    let mut effective = vec![false; entries.len()];
    // The previous file or link. Entries below it would follow directly.
    let mut previous: Option<&[u8]> = None;
    for same in order.chunk_by(|one, other| path(&entries[*one]) == path(&entries[*other])) {
        let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
        let here = path(&entries[*first]);
        let is_below = |file: &[u8]| here.strip_prefix(file).is_some_and(|rest| rest.starts_with(b"/"));
        if let Some(file) = previous.filter(|file| is_below(file)) {
            return Err(conflict(file));
        }
        let folders = same.iter().filter(|at| entries[**at].entry_type == EntryType::Folder).count();
        if folders == same.len() {
            effective[*first] = true;
        } else if folders == 0 {
            effective[*last] = true;
            previous = Some(here);
        } else {
            return Err(conflict(here));
        }
    }
    Ok(effective)
}

/// Orders paths so that a folder's content follows it directly. No path contains a NUL.
fn by_folder(one: &[u8], other: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    one.iter().map(key).cmp(other.iter().map(key))
}

fn conflict(path: &[u8]) -> Problem {
    let path = shown(path);
    Problem::Archive(format!(
        "entries of the zip archive conflict at `{path}`: one is a file or a link, others need a folder"
    ))
}
