//! Entries of the same name, and of names that exclude each other.

use std::cmp::Ordering;

use super::super::super::error::{Problem, shown};
use super::index::{Entry, Kind};

/// Marks the entries that count, in the directory's order. The last file or link of a name counts, because unzip lets it
/// overwrite the others. The first folder of a name counts, because unzip keeps its attributes.
///
/// # Errors
/// If a name is that of a folder and of something else. unzip can't make both either.
pub(super) fn that_count<'p>(entries: &[Entry], path: impl Fn(&Entry) -> &'p [u8]) -> Result<Vec<bool>, Problem> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // Sorting keeps the directory's order of equal paths.
    order.sort_by(|one, other| by_folder(path(&entries[*one]), path(&entries[*other])));
    let mut count = vec![false; entries.len()];
    // The file or link before. All that lies below it comes next.
    let mut before: Option<&[u8]> = None;
    for same in order.chunk_by(|one, other| path(&entries[*one]) == path(&entries[*other])) {
        let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
        let here = path(&entries[*first]);
        let is_below = |file: &[u8]| here.strip_prefix(file).is_some_and(|rest| rest.starts_with(b"/"));
        if let Some(file) = before.filter(|file| is_below(file)) {
            return Err(excluded(file));
        }
        let folders = same.iter().filter(|at| entries[**at].kind == Kind::Folder).count();
        if folders == same.len() {
            count[*first] = true;
        } else if folders == 0 {
            count[*last] = true;
            before = Some(here);
        } else {
            return Err(excluded(here));
        }
    }
    Ok(count)
}

/// Orders paths so that all that lies in a folder follows it directly. No path has a NUL in it.
fn by_folder(one: &[u8], other: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    one.iter().map(key).cmp(other.iter().map(key))
}

fn excluded(path: &[u8]) -> Problem {
    let path = shown(path);
    Problem::Archive(format!("the zip archive has a file or a link at `{path}`, where other entries need a folder"))
}
