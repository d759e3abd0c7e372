//! Tar archives, read once from start to end, and unpacked as GNU tar unpacks them.

use std::io::Read;

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, Jail, Nearby};
use super::super::links::checked_target;
use super::super::names::entry_path;
use blocks::Blocks;
use header::Header;
use pax::Records;
use sparse::Map;

pub(super) use blocks::broken;

mod blocks;
pub(in super::super) mod header;
mod pax;
mod sparse;

/// The longest name or target in GNU's form that is read.
const LONGEST_TEXT: u64 = 64 * 1024;

/// Unpacks all entries into the jail; what the jail leaves for its end is left. An archive ends with a block of zeros, or
/// where its bytes end after an entry.
pub(super) fn unpack(from: impl Read, jail: &Jail<'_>) -> Result<(), Problem> {
    let mut archive = Blocks::new(from);
    let mut for_all = Records::default();
    let mut before = Before::default();
    let mut nearby = Nearby::default();
    while let Some(block) = archive.next()? {
        let Some(header) = Header::checked(block)? else { break };
        let is_entry = match header.kind() {
            b'x' | b'X' => {
                before.records = Some(read_ahead(&header, &mut archive, |content| Records::read(content))?);
                false
            }
            // Defaults for all entries that follow; git puts its commit id there.
            b'g' => {
                for_all = read_ahead(&header, &mut archive, |content| Records::read(content))?;
                false
            }
            b'L' => {
                before.name = Some(read_ahead(&header, &mut archive, read_text)?);
                false
            }
            b'K' => {
                before.target = Some(read_ahead(&header, &mut archive, read_text)?);
                false
            }
            _ => true,
        };
        if is_entry {
            unpack_entry(&header, std::mem::take(&mut before), &for_all, &mut archive, jail, &mut nearby)?;
        } else {
            jail.header()?;
        }
    }
    if before.is_empty() {
        return Ok(());
    }
    Err(Problem::Archive("the tar archive is truncated: it ends after a header that belongs to an entry".to_owned()))
}

/// The headers before an entry that describe it.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    records: Option<Records>,
}

impl Before {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.target.is_none() && self.records.is_none()
    }
}

/// Reads the content of a header that describes other entries.
fn read_ahead<R: Read, T>(
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
    let count = content.take(LONGEST_TEXT + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if count as u64 > LONGEST_TEXT {
        return Err(Problem::Archive("the tar archive has a name of more than 64 KiB".to_owned()));
    }
    Ok(header::text(&bytes).to_owned())
}

fn unpack_entry(
    header: &Header,
    before: Before,
    for_all: &Records,
    archive: &mut Blocks<impl Read>,
    jail: &Jail<'_>,
    nearby: &mut Nearby,
) -> Result<(), Problem> {
    let records = before.records.unwrap_or_default().or(for_all);
    let name = records.sparse.name.clone().or(records.path).or(before.name).unwrap_or_else(|| header.name());
    let size = records.size.or_else(|| header.size()).ok_or_else(|| refused(&name, "has no valid size"));
    if header.kind() == b'V' {
        jail.skipped(&name, "volume label")?;
        return archive.content(size?).finish();
    }
    if header.kind() == b'M' {
        return Err(refused(&name, "continues from another volume; make the archive in one volume"));
    }
    let path = jail.resolved(entry_path(&name)?)?;
    let mode = header.mode().ok_or_else(|| refused(&path, "has no valid mode"));
    let attributes = |mode| Attributes { mode, modified: records.modified.or_else(|| header.modified()) };
    let kind = match header.kind() {
        b'\0' | b'0' | b'7' if name.ends_with(b"/") && !records.sparse.are_there() => b'5',
        kind => kind,
    };
    if matches!(kind, b'5' | b'D') {
        jail.folder(&path, attributes(mode?), nearby)?;
        // An incremental dump lists what the folder held. A folder has no content, even if its header claims some.
        return if kind == b'D' { archive.content(size?).finish() } else { Ok(()) };
    }
    if path.is_empty() {
        return Err(refused(&name, "has no name"));
    }
    if name.ends_with(b"/.") {
        return Err(refused(&path, "is no folder, but has the name of one"));
    }
    // Links, devices and pipes have no content either.
    let target = || records.target.or(before.target).unwrap_or_else(|| header.target());
    match kind {
        b'3' | b'4' => return jail.left_out(&path, "device", nearby),
        b'6' => return jail.left_out(&path, "named pipe", nearby),
        b'1' => {
            let to = jail.resolved(entry_path(after_climbing(&target()))?)?;
            return jail.hard_link(&path, &to, nearby);
        }
        b'2' => {
            let target = checked_target(&path, target())?;
            return jail.link(&path, target, attributes(0).modified, nearby);
        }
        b'\0' | b'0' | b'7' | b'S' => {}
        other => jail.of_unknown_type(&path, other),
    }
    let attributes = attributes(mode?);
    if kind == b'S' && header.is_gnu() {
        let map = Map::of_header(&path, header, archive)?;
        let mut content = archive.content(size?);
        map.unpack(&path, attributes, &mut content, jail, nearby)?;
        return content.finish();
    }
    let mut content = archive.content(size?);
    if records.sparse.are_there() {
        let map = records.sparse.map(&path, &mut content)?;
        map.unpack(&path, attributes, &mut content, jail, nearby)?;
    } else {
        jail.file(&path, attributes, nearby, &mut content, broken)?;
    }
    content.finish()
}

/// The part of a hard link's target that counts: what follows its last `..`, as GNU tar has it.
fn after_climbing(target: &[u8]) -> &[u8] {
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
    fn a_hard_links_target_counts_from_its_last_climb() {
        for (target, counts) in
            [("a/b", "a/b"), ("../a", "a"), ("x/../a/b", "a/b"), ("..", ""), ("a..b/..c", "a..b/..c")]
        {
            assert_eq!(after_climbing(target.as_bytes()), counts.as_bytes());
        }
    }
}
