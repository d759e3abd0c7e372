//! The folder that an artifact is unpacked into. Nothing is written outside it.
//!
//! There are three walls. Names are checked as text. Every folder is opened name by name from its parent's handle, without
//! following a link. And links are made last, after every file and folder, so that nothing is written through one.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawMode, Timespec};

use super::error::{Problem, shown};
use super::limits::{Counted, Tally, UnpackLimits};
use super::links::{Link, Links, TooMuch};
use super::names::entry_path;
use super::stop::Stop;
pub(super) use notes::List;
use notes::Notes;
use writing::Writing;

mod end;
mod folders;
mod notes;
mod places;
mod writing;

/// The names of all folders with attributes together, because they stay in memory until the end: 100 000 folders may have
/// 335 bytes each on average.
const MOST_FOLDER_BYTES: usize = 32 * 1024 * 1024;

/// The folder, what may still be put into it, and what is left for the end.
pub(super) struct Jail<'a> {
    root: OwnedFd,
    tally: Tally,
    last: Mutex<Last>,
    stop: &'a Stop,
    max_entries: u64,
}

/// The work that waits until every file is there.
#[derive(Default)]
struct Last {
    links: Links,
    folders: BTreeMap<Vec<u8>, Attributes>,
    folder_bytes: usize,
    notes: Notes,
}

/// The mode and the time of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// The permission bits; others are ignored.
    pub(super) mode: u32,
    pub(super) modified: Option<Timespec>,
}

/// The folder that a thread wrote to last, kept open because the next file mostly lies in it, too.
#[derive(Default)]
pub(super) struct Nearby(Option<(Vec<u8>, OwnedFd)>);

impl<'a> Jail<'a> {
    pub(super) fn new(root: &Path, limits: UnpackLimits, stop: &'a Stop) -> Result<Self, Problem> {
        let root = rustix::fs::openat(CWD, root, FOLDER, Mode::empty())
            .map_err(|error| Problem::Disk(format!("could not open the artifact's folder: {error}")))?;
        let (tally, max_entries) = (Tally::new(limits), limits.max_entries);
        Ok(Self { root, tally, last: Mutex::default(), stop, max_entries })
    }

    /// The most entries that an archive may have of all kinds together, those that leave nothing included.
    pub(super) fn max_headers(&self) -> u64 {
        self.max_entries.saturating_mul(3)
    }

    /// Makes a file with the content of `from`, in the place of a file, a link or an empty folder. `broken` says what an
    /// error of reading means. Returns the file's size.
    pub(super) fn file(
        &self,
        path: &[u8],
        attributes: Attributes,
        nearby: &mut Nearby,
        from: &mut dyn Read,
        broken: impl Fn(&io::Error) -> Problem,
    ) -> Result<u64, Problem> {
        let mut file = self.new_file(path, nearby)?;
        file.copy(from, broken)?;
        file.finish(attributes)
    }

    /// Begins a file, in the place of a file, a link or an empty folder.
    pub(super) fn new_file<'j>(&'j self, path: &'j [u8], nearby: &mut Nearby) -> Result<Writing<'j, 'a>, Problem> {
        self.stop.check()?;
        let (folder, name) = self.parent(path, nearby)?;
        self.replace_link(path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(0o600));
        let file = self.create_file(folder, path, create)?;
        Ok(Writing::new(self, path, file.into()))
    }

    /// Counts an entry that leaves nothing: a small archive may hold millions of them.
    pub(super) fn header(&self) -> Result<(), Problem> {
        self.stop.check()?;
        self.tally.add(Counted::Leftovers)
    }

    /// Counts an entry that is skipped because it is a `what`. The log names it at the end.
    pub(super) fn skipped(&self, name: &[u8], what: &'static str) -> Result<(), Problem> {
        self.last().notes.skipped(name, what);
        self.header()
    }

    /// The same, of an entry that would have replaced an earlier one: the place stays empty.
    pub(super) fn left_out(&self, path: &[u8], what: &'static str, nearby: &mut Nearby) -> Result<(), Problem> {
        self.make_room(path, nearby)?;
        self.skipped(path, what)
    }

    /// Records an entry of an unknown type that becomes a file. The log names it at the end.
    pub(super) fn of_unknown_type(&self, path: &[u8], letter: u8) {
        self.last().notes.of_unknown_type(path, letter);
    }

    /// Makes a folder, in the place of a file or a link, or gives new attributes to one that is there.
    pub(super) fn folder(&self, path: &[u8], attributes: Attributes, nearby: &mut Nearby) -> Result<(), Problem> {
        if path.is_empty() {
            return self.header();
        }
        self.stop.check()?;
        self.replace_link(path)?;
        let (parent, name) = self.parent(path, nearby)?;
        if rustix::fs::unlinkat(parent, name, AtFlags::empty()).is_ok() {
            self.tally.replaced(Counted::Files)?;
        }
        self.open_folder(path, nearby)?;
        let mut last = self.last();
        if let Some(known) = last.folders.get_mut(path) {
            *known = attributes;
            return self.header();
        }
        last.folder_bytes += path.len();
        if last.folder_bytes > MOST_FOLDER_BYTES {
            let text = "the archive has folders whose names have more than 32 MiB together; use fewer or shorter ones";
            return Err(Problem::Archive(text.to_owned()));
        }
        last.folders.insert(path.to_owned(), attributes);
        Ok(())
    }

    /// Records a link, to be made at the end, in the place of a file, a link or an empty folder.
    pub(super) fn link(
        &self,
        path: &[u8],
        target: Vec<u8>,
        modified: Option<Timespec>,
        nearby: &mut Nearby,
    ) -> Result<(), Problem> {
        self.make_room(path, nearby)?;
        self.tally.add(Counted::FoldersAndLinks)?;
        let recorded = self.last().links.insert(path.to_owned(), Link { target, modified });
        recorded.map_err(|TooMuch| Problem::Archive(format!("the archive {}", TooMuch::TEXT)))
    }

    /// The path that an entry's path means, where earlier entries made links of folders that it lies in. Every method takes
    /// paths as they are; a reader that follows links as GNU tar does asks here first.
    pub(super) fn resolved(&self, path: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let Some(resolved) = self.last().links.resolved(&path)? else { return Ok(path) };
        let resolved = entry_path(&resolved)?;
        if self.existing_parent(&resolved, &mut Nearby::default())?.is_none() {
            let text = format!("the entry `{}` lies below a link that points to no folder", shown(&path));
            return Err(Problem::Archive(text));
        }
        Ok(resolved)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a folder is opened: as a folder, never through a link.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn is_file(mode: RawMode) -> bool {
    rustix::fs::FileType::from_raw_mode(mode).is_file()
}

/// A path's folder, and its last name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn taken(path: &[u8]) -> Problem {
    let path = shown(path);
    Problem::Archive(format!(
        "the archive has a folder with content and another entry at `{path}`, or a file or link where another entry needs a folder"
    ))
}

fn taken_or(path: &[u8], error: rustix::io::Errno) -> Problem {
    use rustix::io::Errno;
    match error {
        Errno::EXIST | Errno::ISDIR | Errno::NOTEMPTY | Errno::NOTDIR | Errno::LOOP => taken(path),
        _ => Problem::writing(path, &error.into()),
    }
}

#[cfg(test)]
mod tests;
