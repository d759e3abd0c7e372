//! Unpacks tars.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use ::tar::{Archive, EntryType, Header};

use super::folder::Unpacking;
use super::limits::Limits;
use super::name::EntryName;
use super::problem::ArchiveProblem;
use super::visitor::{Choice, Visitor};

/// The bytes of a block of a tar, which decide what a file is.
pub(super) const BLOCK: usize = 512;

/// The most bytes that describe one entry: its header, long names and pax records. The reader holds them in memory.
const MAX_HEADERS: u64 = 1024 * 1024;
/// The most bytes after the end of the archive. GNU tar fills up a record, of 10 KiB unless it is told otherwise.
const MAX_PADDING: u64 = 1024 * 1024;

/// The bytes between two looks whether anything waits for the work.
const CHUNK: u64 = 1024 * 1024;

/// Whether this is the first block of a tar. An empty tar begins with zeros.
pub(super) fn is_tar(begin: &[u8]) -> bool {
    if begin.len() != BLOCK {
        return false;
    }
    // The checksum counts its own field as spaces (tar(5)).
    let sum = |part: &[u8]| part.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let found = sum(&begin[..148]) + 8 * u32::from(b' ') + sum(&begin[156..]);
    begin.iter().all(|byte| *byte == 0) || Header::from_byte_slice(begin).cksum().is_ok_and(|noted| noted == found)
}

pub(super) fn unpack(reader: impl Read, into: &mut Unpacking<'_>) -> Result<(), ArchiveProblem> {
    let broken = |error| ArchiveProblem::broken("the tar", error);
    let left = Rc::new(Cell::new(0));
    let mut archive = Archive::new(Metered { reader, left: Rc::clone(&left) });
    let mut entries = archive.entries().map_err(broken)?;
    loop {
        left.set(MAX_HEADERS);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(broken)?;
        into.count()?;
        left.set(entry.size().saturating_add(BLOCK as u64));
        if entry.header().entry_type().is_pax_global_extensions() {
            // `git archive` writes the commit's id here.
            continue;
        }
        add(&mut entry, into)?;
    }
    left.set(MAX_PADDING);
    // A gzip's checksum is at its end.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    Ok(())
}

fn add<R: Read>(entry: &mut ::tar::Entry<'_, R>, into: &mut Unpacking<'_>) -> Result<(), ArchiveProblem> {
    let raw = entry.path_bytes().into_owned();
    let Some(name) = EntryName::of(&raw)? else { return Ok(()) };
    let mode = entry.header().mode().ok();
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if !raw.ends_with(b"/") => {
            let claimed = entry.size();
            let size = into.add_file(&name, mode, entry)?;
            if size == claimed {
                return Ok(());
            }
            Err(ArchiveProblem::broken(name.to_string(), format!("it has {size} bytes instead of {claimed}")))
        }
        // The first tars marked folders only with a slash.
        EntryType::Directory | EntryType::Regular => {
            into.skip(&name, entry)?;
            into.add_folder(name, mode)
        }
        EntryType::Symlink => {
            let target = target(entry, &name)?;
            into.skip(&name, entry)?;
            into.add_link(name, &target)
        }
        EntryType::Link => {
            let target = target(entry, &name)?;
            into.skip(&name, entry)?;
            let leads_out = || ArchiveProblem::broken(format!("the hard link {name}"), "it leads to the folder itself");
            into.add_hard_link(&name, &EntryName::of(&target)?.ok_or_else(leads_out)?)
        }
        other => {
            let kind = match other {
                EntryType::Char | EntryType::Block => "a device".to_owned(),
                EntryType::Fifo => "a pipe".to_owned(),
                other => format!("an entry of the type {:?}", char::from(other.as_byte())),
            };
            Err(ArchiveProblem::Special { name: name.to_string(), kind })
        }
    }
}

/// Shows the files to a visitor. Reads at most as much as an action would unpack.
pub(super) fn visit(reader: impl Read, visitor: &mut impl Visitor) -> Result<(), ArchiveProblem> {
    let broken = |error| ArchiveProblem::broken("the tar", error);
    let limit = Limits::default().bytes;
    let left = Rc::new(Cell::new(0));
    let mut archive = Archive::new(Metered { reader, left: Rc::clone(&left) });
    let mut entries = archive.entries().map_err(broken)?;
    let mut passed = 0_u64;
    loop {
        left.set(MAX_HEADERS);
        let Some(entry) = entries.next() else { return Ok(()) };
        let mut entry = entry.map_err(broken)?;
        left.set(entry.size().saturating_add(BLOCK as u64));
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        let has_bytes = matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
        let choice = if has_bytes && !name.ends_with('/') { visitor.file(&name, entry.size()) } else { Choice::Next };
        match choice {
            Choice::Next => {}
            Choice::End => return Ok(()),
            Choice::Read => return visitor.content(&mut entry).map_err(|error| ArchiveProblem::broken(&name, error)),
        }
        // The next header follows the content, which a gzip must inflate.
        loop {
            let read = io::copy(&mut entry.by_ref().take(CHUNK), &mut io::sink()).map_err(broken)?;
            passed += read;
            if visitor.has_gone() {
                return Err(ArchiveProblem::Stopped);
            }
            if passed > limit {
                return Err(ArchiveProblem::Bytes { limit });
            }
            if read == 0 {
                break;
            }
        }
    }
}

fn target<R: Read>(entry: &::tar::Entry<'_, R>, name: &EntryName) -> Result<Vec<u8>, ArchiveProblem> {
    let missing = || ArchiveProblem::broken(format!("the link {name}"), "it has no target");
    Ok(entry.link_name_bytes().ok_or_else(missing)?.into_owned())
}

/// A reader that fails beyond an allowance, which the loop above renews for each part of the archive. Without it, a long name could
/// fill the memory.
struct Metered<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        match self.left.get().checked_sub(read as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("a name, a header or the padding has more than 1 MiB")),
        }
        Ok(read)
    }
}
