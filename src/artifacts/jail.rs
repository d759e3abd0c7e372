//! The folder that an artifact is unpacked into. Nothing is written outside it.
//!
//! Three barriers ensure this:
//! - Names are checked as text.
//! - Every folder is opened name by name from its parent's handle, without following a link.
//! - Links are created last, after every file and folder. So nothing is written through a link.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawMode, Timespec};

use super::error::{Problem, shown};
use super::limits::{EntryClass, Tally, UnpackLimits};
use super::links::{Link, Links, TooMuch};
use super::names::entry_path;
use super::stop::Stop;
pub(super) use cache::FolderCache;
pub(super) use file_writer::FileWriter;
use warnings::Warnings;

mod cache;
mod file_writer;
mod finish;
mod folders;
mod hard_links;
mod replace;
mod warnings;

/// The limit for the names of all folders with attributes together. They stay in memory until the end. 100 000 folders may
/// have 335 bytes each on average.
const MAX_FOLDER_BYTES: usize = 32 * 1024 * 1024;

/// The folder, the limits of its content, and the work that waits until every file exists.
pub(super) struct Jail<'a> {
    root: OwnedFd,
    tally: Tally,
    deferred: Mutex<Deferred>,
    stop: &'a Stop,
    max_entries: u64,
}

/// The work that waits until every file exists.
#[derive(Default)]
struct Deferred {
    links: Links,
    folders: BTreeMap<Vec<u8>, Attributes>,
    folder_bytes: usize,
    warnings: Warnings,
}

/// The mode and the modification time of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// The permission bits. Other bits are ignored.
    pub(super) mode: u32,
    pub(super) modified: Option<Timespec>,
}

impl<'a> Jail<'a> {
    pub(super) fn new(root: &Path, limits: UnpackLimits, stop: &'a Stop) -> Result<Self, Problem> {
        let root = rustix::fs::openat(CWD, root, FOLDER, Mode::empty())
            .map_err(|error| Problem::Disk(format!("could not open the artifact's folder: {error}")))?;
        let (tally, max_entries) = (Tally::new(limits), limits.max_entries);
        Ok(Self { root, tally, deferred: Mutex::default(), stop, max_entries })
    }

    /// The limit for the entries of an archive, ignored ones included: three classes have `max_entries` each.
    pub(super) fn max_headers(&self) -> u64 {
        self.max_entries.saturating_mul(3)
    }

    /// Creates a file with the content of `from`. It replaces a file, a link or an empty folder. `unreadable` turns an error
    /// of `from` into a problem. Returns the file's size.
    pub(super) fn file(
        &self,
        path: &[u8],
        attributes: Attributes,
        cache: &mut FolderCache,
        from: &mut dyn Read,
        unreadable: impl Fn(&io::Error) -> Problem,
    ) -> Result<u64, Problem> {
        let mut file = self.new_file(path, cache)?;
        file.copy(from, unreadable)?;
        file.finish(attributes)
    }

    /// Creates an empty file to write to. It replaces a file, a link or an empty folder.
    pub(super) fn new_file<'j>(
        &'j self,
        path: &'j [u8],
        cache: &mut FolderCache,
    ) -> Result<FileWriter<'j, 'a>, Problem> {
        self.stop.check()?;
        let (folder, name) = self.parent(path, cache)?;
        self.replace_link(path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(0o600));
        let file = self.create_file(folder, path, create)?;
        Ok(FileWriter::new(self, path, file.into()))
    }

    /// Counts an entry that creates nothing: a small archive may hold millions of them.
    pub(super) fn count_ignored(&self) -> Result<(), Problem> {
        self.stop.check()?;
        self.tally.add(EntryClass::Ignored)
    }

    /// Skips an entry that is a `what`. The log names it at the end.
    pub(super) fn skip(&self, name: &[u8], what: &'static str) -> Result<(), Problem> {
        self.deferred().warnings.add_skipped(name, what);
        self.count_ignored()
    }

    /// Skips an entry at a path, and removes the earlier entry that it replaces. The path stays empty.
    pub(super) fn skip_at(&self, path: &[u8], what: &'static str, cache: &mut FolderCache) -> Result<(), Problem> {
        self.make_room(path, cache)?;
        self.skip(path, what)
    }

    /// Records that an entry of an unknown type becomes a file. The log names it at the end.
    pub(super) fn warn_of_unknown_type(&self, path: &[u8], letter: u8) {
        self.deferred().warnings.add_unknown_type(path, letter);
    }

    /// Creates a folder. It replaces a file or a link. A folder that exists gets the new attributes.
    pub(super) fn folder(&self, path: &[u8], attributes: Attributes, cache: &mut FolderCache) -> Result<(), Problem> {
        if path.is_empty() {
            return self.count_ignored();
        }
        self.stop.check()?;
        self.replace_link(path)?;
        let (parent, name) = self.parent(path, cache)?;
        if rustix::fs::unlinkat(parent, name, AtFlags::empty()).is_ok() {
            self.tally.replaced(EntryClass::Files)?;
        }
        self.open_folder(path, cache)?;
        let mut deferred = self.deferred();
        if let Some(known) = deferred.folders.get_mut(path) {
            *known = attributes;
            return self.count_ignored();
        }
        deferred.folder_bytes += path.len();
        if deferred.folder_bytes > MAX_FOLDER_BYTES {
            let text =
                "the names of the archive's folders have more than 32 MiB together; use fewer folders or shorter names";
            return Err(Problem::Archive(text.to_owned()));
        }
        deferred.folders.insert(path.to_owned(), attributes);
        Ok(())
    }

    /// Records a link, which is created at the end. It replaces a file, a link or an empty folder.
    pub(super) fn link(
        &self,
        path: &[u8],
        target: Vec<u8>,
        modified: Option<Timespec>,
        cache: &mut FolderCache,
    ) -> Result<(), Problem> {
        self.make_room(path, cache)?;
        self.tally.add(EntryClass::FoldersAndLinks)?;
        let recorded = self.deferred().links.insert(path.to_owned(), Link { target, modified });
        recorded.map_err(|TooMuch| Problem::Archive(format!("the archive {}", TooMuch::TEXT)))
    }

    /// The path that an entry's path leads to through the links of earlier entries. The other methods follow no link. A reader
    /// that follows links as GNU tar does calls this first.
    pub(super) fn resolved(&self, path: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let Some(resolved) = self.deferred().links.resolved(&path)? else { return Ok(path) };
        let resolved = entry_path(&resolved)?;
        if self.existing_parent(&resolved, &mut FolderCache::default())?.is_none() {
            let text =
                format!("the path of the entry `{}` goes through a link whose target is not a folder", shown(&path));
            return Err(Problem::Archive(text));
        }
        Ok(resolved)
    }

    fn deferred(&self) -> MutexGuard<'_, Deferred> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a folder, and never through a link.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn is_file(mode: RawMode) -> bool {
    rustix::fs::FileType::from_raw_mode(mode).is_file()
}

/// Splits a path into its folder and its last name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn conflict(path: &[u8]) -> Problem {
    let path = shown(path);
    Problem::Archive(format!(
        "two entries of the archive conflict at `{path}`: one is a folder with content, the other is not a folder"
    ))
}

fn conflict_or(path: &[u8], error: rustix::io::Errno) -> Problem {
    use rustix::io::Errno;
    match error {
        Errno::EXIST | Errno::ISDIR | Errno::NOTEMPTY | Errno::NOTDIR | Errno::LOOP => conflict(path),
        _ => Problem::writing(path, &error.into()),
    }
}

#[cfg(test)]
mod tests;
