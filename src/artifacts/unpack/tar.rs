//! Tar archives, read once from start to end.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::{Archive, Entry, EntryType};

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, Jail, Nearby};
use super::super::links::checked_target;
use super::super::names::{MadeOn, entry_path, names_a_folder};

mod pax;

/// The most that may lie between two entries' contents: headers with a long name, a long target, pax records. The
/// library reads these into memory whole, so there must be an end to them.
const MOST_HEADER_BYTES: u64 = 1024 * 1024;
const BLOCK_BYTES: usize = 512;
/// Writers fill the last record up with zeros, at most with so many (GNU tar: `--blocking-factor`).
const MOST_PADDING_BYTES: u64 = 16 * 1024 * 1024;

/// Unpacks all entries into the jail; what the jail leaves for its end is left.
pub(super) fn unpack(from: impl Read, jail: &Jail<'_>) -> Result<(), Problem> {
    let gauge = Gauge::default();
    let mut archive = Archive::new(Gauged { from, gauge: gauge.clone() });
    let mut entries = archive.entries().map_err(|error| broken(&error))?;
    let mut nearby = Nearby::default();
    loop {
        gauge.expect_headers();
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| broken(&error))?;
        gauge.expect_content();
        unpack_entry(&mut entry, jail, &mut nearby)?;
    }
    if !gauge.saw_zeros() {
        return Err(Problem::Archive("the tar archive has no end mark: it is truncated".to_owned()));
    }
    finish_stream(&mut archive.into_inner().from)
}

/// Reads what follows the end mark, so that a gzip around the archive gets to check its own checksum.
fn finish_stream(from: &mut impl Read) -> Result<(), Problem> {
    let padding = io::copy(&mut from.take(MOST_PADDING_BYTES), &mut io::sink()).map_err(|error| broken(&error))?;
    if padding == MOST_PADDING_BYTES {
        return Err(Problem::Archive("the tar archive goes on for more than 16 MiB after its end mark".to_owned()));
    }
    Ok(())
}

fn unpack_entry<R: Read>(entry: &mut Entry<'_, R>, jail: &Jail<'_>, nearby: &mut Nearby) -> Result<(), Problem> {
    let kind = entry.header().entry_type();
    if kind == EntryType::XGlobalHeader {
        // Defaults for times, owners and the like of all entries; git puts its commit id there.
        pax::check_global(entry)?;
        return jail.header();
    }
    let name = entry.path_bytes().into_owned();
    let path = jail.resolved(entry_path(&name, MadeOn::Unix)?)?;
    let mode = entry.header().mode().map_err(|_| refused(&path, "has no valid mode"))?;
    let attributes = Attributes { mode, modified: None };
    pax::check(entry, &path)?;
    let is_folder = kind == EntryType::Directory || (kind.is_file() && name.ends_with(b"/"));
    let has_content = !is_folder && matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
    if !has_content && entry.size() != 0 {
        // Readers don't agree on whether so many bytes follow then, so to one of them they may be further entries.
        return Err(refused(&path, "is no file, but has content"));
    }
    if is_folder {
        return jail.folder(&path, attributes, nearby);
    }
    if path.is_empty() {
        return Err(refused(b"", "has no name"));
    }
    if names_a_folder(&name) {
        return Err(refused(&path, "is no folder, but has the name of one"));
    }
    match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let claimed = entry.size();
            let size = jail.file(&path, attributes, nearby, entry, broken)?;
            if size != claimed {
                return Err(refused(&path, "ends too early: the archive is truncated"));
            }
            Ok(())
        }
        EntryType::Symlink => jail.link(&path, checked_target(&path, target(entry, &path)?)?, None, nearby),
        EntryType::Link => {
            let target = target(entry, &path)?;
            jail.hard_link(&path, &jail.resolved(entry_path(&target, MadeOn::Unix)?)?, nearby)
        }
        EntryType::Char | EntryType::Block => jail.skipped(&path, "device"),
        EntryType::Fifo => jail.skipped(&path, "named pipe"),
        other => {
            jail.of_unknown_type(&path, other.as_byte());
            jail.file(&path, attributes, nearby, entry, broken).map(drop)
        }
    }
}

fn target<R: Read>(entry: &Entry<'_, R>, path: &[u8]) -> Result<Vec<u8>, Problem> {
    entry.link_name_bytes().map(std::borrow::Cow::into_owned).ok_or_else(|| refused(path, "is a link without a target"))
}

fn refused(path: &[u8], what: &str) -> Problem {
    Problem::Archive(format!("the tar archive's entry `{}` {what}", shown(path)))
}

fn broken(error: &io::Error) -> Problem {
    Problem::inside(error, |error| {
        Problem::Archive(format!("the archive is truncated or damaged: {}", shown(&error.to_string())))
    })
}

/// Watches what the library reads: how much while it looks for the next entry, and whether that ended in zeros.
#[derive(Clone, Default)]
struct Gauge {
    /// What may still be read before the next entry; `None` while an entry's content is read.
    allowance: Rc<Cell<Option<u64>>>,
    zeros: Rc<Cell<bool>>,
}

impl Gauge {
    fn expect_headers(&self) {
        self.allowance.set(Some(MOST_HEADER_BYTES));
        self.zeros.set(false);
    }

    fn expect_content(&self) {
        self.allowance.set(None);
    }

    fn saw_zeros(&self) -> bool {
        self.zeros.get()
    }
}

struct Gauged<R> {
    from: R,
    gauge: Gauge,
}

impl<R: Read> Read for Gauged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if let Some(allowance) = self.gauge.allowance.get() {
            let Some(rest) = allowance.checked_sub(count as u64) else {
                return Err(Problem::Archive(
                    "the tar archive has an entry with more than 1 MiB of headers".to_owned(),
                )
                .into());
            };
            self.gauge.allowance.set(Some(rest));
            // A header is asked for as a whole block; what is skipped before it is less than one.
            let so_far = buffer.len() == BLOCK_BYTES || self.gauge.zeros.get();
            self.gauge.zeros.set(so_far && count > 0 && buffer[..count].iter().all(|byte| *byte == 0));
        }
        Ok(count)
    }
}
