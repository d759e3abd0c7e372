//! Unpacks tar archives as GNU tar does. Reads them once, from start to end.

use std::io::Read;

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, FolderCache, Jail};
use super::super::links::checked_target;
use super::super::names::entry_path;
use blocks::Blocks;
use header::Header;
use pax::Records;
use sparse::Map;

pub(super) use blocks::unreadable;

mod blocks;
pub(in super::super) mod header;
mod pax;
mod sparse;

/// The limit for a name or a target in GNU's form.
const MAX_TEXT_BYTES: u64 = 64 * 1024;

/// Unpacks all entries into the jail. The caller finishes the jail. An archive ends with a block of zeros, or where its bytes
/// end after an entry.
pub(super) fn unpack(from: impl Read, jail: &Jail<'_>) -> Result<(), Problem> {
    let mut archive = Blocks::new(from);
    let mut global = Records::default();
    let mut extended = Extended::default();
    let mut cache = FolderCache::default();
    while let Some(block) = archive.next()? {
        let Some(header) = Header::checked(block)? else { break };
        let is_entry = match header.typeflag() {
            b'x' | b'X' => {
                extended.records = Some(read_extended(&header, &mut archive, |content| Records::read(content))?);
                false
            }
            // Defaults for all entries that follow. Git writes its commit id there.
            b'g' => {
                global = read_extended(&header, &mut archive, |content| Records::read(content))?;
                false
            }
            b'L' => {
                extended.name = Some(read_extended(&header, &mut archive, read_text)?);
                false
            }
            b'K' => {
                extended.target = Some(read_extended(&header, &mut archive, read_text)?);
                false
            }
            _ => true,
        };
        if is_entry {
            unpack_entry(&header, std::mem::take(&mut extended), &global, &mut archive, jail, &mut cache)?;
        } else {
            jail.count_ignored()?;
        }
    }
    if extended.is_empty() {
        return Ok(());
    }
    Err(Problem::Archive("the tar archive is truncated: it ends after an extended header, before its entry".to_owned()))
}

/// The extended headers before an entry.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    records: Option<Records>,
}

impl Extended {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.target.is_none() && self.records.is_none()
    }
}

/// Reads the content of an extended header.
fn read_extended<R: Read, T>(
    header: &Header,
    archive: &mut Blocks<R>,
    read: impl FnOnce(&mut blocks::Content<'_, R>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let size = header.size().ok_or_else(|| refused(&header.name(), "has no valid size"))?;
    let mut content = archive.content(size);
    let value = read(&mut content)?;
    content.finish()?;
    Ok(value)
}

/// Reads a name or a target in GNU's form.
fn read_text(content: &mut blocks::Content<'_, impl Read>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let count = content.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if count as u64 > MAX_TEXT_BYTES {
        return Err(Problem::Archive("the tar archive has a name of more than 64 KiB".to_owned()));
    }
    Ok(header::text(&bytes).to_owned())
}

fn unpack_entry(
    header: &Header,
    extended: Extended,
    global: &Records,
    archive: &mut Blocks<impl Read>,
    jail: &Jail<'_>,
    cache: &mut FolderCache,
) -> Result<(), Problem> {
    let records = extended.records.unwrap_or_default().or(global);
    let name = records.sparse.name.clone().or(records.path).or(extended.name).unwrap_or_else(|| header.name());
    let size = records.size.or_else(|| header.size()).ok_or_else(|| refused(&name, "has no valid size"));
    if header.typeflag() == b'V' {
        jail.skip(&name, "volume label")?;
        return archive.content(size?).finish();
    }
    if header.typeflag() == b'M' {
        return Err(refused(&name, "continues from another volume; create the archive as a single volume"));
    }
    let path = jail.resolved(entry_path(&name)?)?;
    let mode = header.mode().ok_or_else(|| refused(&path, "has no valid mode"));
    let attributes = |mode| Attributes { mode, modified: records.modified.or_else(|| header.modified()) };
    let typeflag = match header.typeflag() {
        b'\0' | b'0' | b'7' if name.ends_with(b"/") && !records.sparse.is_sparse() => b'5',
        typeflag => typeflag,
    };
    if matches!(typeflag, b'5' | b'D') {
        jail.folder(&path, attributes(mode?), cache)?;
        // The content of `D`, an incremental dump, is a list of names. Other folders have no content, even if the header claims a size.
        return if typeflag == b'D' { archive.content(size?).finish() } else { Ok(()) };
    }
    if path.is_empty() {
        return Err(refused(&name, "has no name"));
    }
    if name.ends_with(b"/.") {
        return Err(refused(&path, "is not a folder, but its name ends with `/.`"));
    }
    // Links, devices and named pipes have no content either.
    let target = || records.target.or(extended.target).unwrap_or_else(|| header.target());
    match typeflag {
        b'3' | b'4' => return jail.skip_at(&path, "device", cache),
        b'6' => return jail.skip_at(&path, "named pipe", cache),
        b'1' => {
            let to = jail.resolved(entry_path(after_dot_dot(&target()))?)?;
            return jail.hard_link(&path, &to, cache);
        }
        b'2' => {
            let target = checked_target(&path, target())?;
            return jail.link(&path, target, attributes(0).modified, cache);
        }
        b'\0' | b'0' | b'7' | b'S' => {}
        other => jail.warn_of_unknown_type(&path, other),
    }
    let attributes = attributes(mode?);
    if typeflag == b'S' && header.is_gnu() {
        let map = Map::of_header(&path, header, archive)?;
        let mut content = archive.content(size?);
        map.unpack(&path, attributes, &mut content, jail, cache)?;
        return content.finish();
    }
    let mut content = archive.content(size?);
    if records.sparse.is_sparse() {
        let map = records.sparse.map(&path, &mut content)?;
        map.unpack(&path, attributes, &mut content, jail, cache)?;
    } else {
        jail.file(&path, attributes, cache, &mut content, unreadable)?;
    }
    content.finish()
}

/// The part of a hard link's target after its last `..`. GNU tar ignores the rest.
fn after_dot_dot(target: &[u8]) -> &[u8] {
    let mut start = 0;
    let mut at = 0;
    for name in target.split(|byte| *byte == b'/') {
        at += name.len() + 1;
        if name == b".." {
            start = at.min(target.len());
        }
    }
    &target[start..]
}

fn refused(path: &[u8], what: &str) -> Problem {
    Problem::Archive(format!("the tar archive's entry `{}` {what}", shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_links_target_begins_after_its_last_dot_dot() {
        for (target, expected) in
            [("a/b", "a/b"), ("../a", "a"), ("x/../a/b", "a/b"), ("..", ""), ("a..b/..c", "a..b/..c")]
        {
            assert_eq!(after_dot_dot(target.as_bytes()), expected.as_bytes());
        }
    }
}
