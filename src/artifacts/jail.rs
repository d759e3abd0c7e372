//! The folder that an artifact is unpacked into, and out of which nothing gets.
//!
//! Three walls: names are checked as text; all access goes through a `cap_std` directory, which the kernel keeps inside;
//! and links are made last, after every file and folder, so that nothing is ever written through one.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, File, OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags};

use super::error::{Problem, shown};
use super::links::{Links, NotAdded};
use super::stop::Stop;
use super::{Limits, Staged};

/// The names of all folders with a mode together, since they are kept in memory until the end: 100 000 folders may have
/// 335 bytes each on average.
const MOST_FOLDER_BYTES: usize = 32 * 1024 * 1024;

/// The folder, what may still be put into it, and what is left for the end.
pub(super) struct Jail<'a> {
    root: Dir,
    limits: Limits,
    bytes: AtomicU64,
    /// What was made: files, folders and links.
    entries: AtomicU64,
    /// What counts towards the limit: what was made, and headers for which nothing was.
    spent: AtomicU64,
    last: Mutex<Last>,
    stop: &'a Stop,
}

/// What is done when every file is there.
#[derive(Default)]
struct Last {
    links: Links,
    folder_modes: BTreeMap<String, u32>,
    folder_bytes: usize,
}

/// The folder that a thread wrote to last, kept open because the next file is mostly beside it.
#[derive(Default)]
pub(super) struct Nearby(Option<(String, Dir)>);

impl<'a> Jail<'a> {
    pub(super) fn new(root: &Path, limits: Limits, stop: &'a Stop) -> Result<Self, Problem> {
        let root = Dir::open_ambient_dir(root, ambient_authority())
            .map_err(|error| Problem::Disk(format!("the artifact's folder can't be opened: {error}")))?;
        let (bytes, entries, spent) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { root, limits, bytes, entries, spent, last: Mutex::default(), stop })
    }

    /// The most entries that an archive may have.
    pub(super) fn max_entries(&self) -> u64 {
        self.limits.max_entries
    }

    /// Makes a file with the content of `from`; `broken` says what an error of reading means. Returns its size.
    pub(super) fn file(
        &self,
        path: &str,
        mode: u32,
        nearby: &mut Nearby,
        from: &mut dyn Read,
        broken: impl Fn(&io::Error) -> Problem,
    ) -> Result<u64, Problem> {
        let mut file = self.create_file(path, nearby)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut size = 0;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Problem::inside(&error, &broken)),
            };
            self.stop.check()?;
            self.spend_bytes(count as u64)?;
            file.write_all(&buffer[..count]).map_err(|error| Problem::writing(path, &error))?;
            size += count as u64;
        }
        // Set apart from creation, which the process's umask would have a say in.
        set_mode(&file, mode).map_err(|error| Problem::writing(path, &error))?;
        Ok(size)
    }

    fn create_file(&self, path: &str, nearby: &mut Nearby) -> Result<File, Problem> {
        self.stop.check()?;
        self.spend_entry()?;
        let (folder, name) = self.parent(path, nearby)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        folder.open_with(name, &options).map_err(|error| taken_or(path, &error))
    }

    /// Counts a header for which nothing is made: a small archive may hold millions of them.
    pub(super) fn header(&self) -> Result<(), Problem> {
        self.stop.check()?;
        self.spend()
    }

    /// Makes a folder, or takes note of the mode of one that is there.
    pub(super) fn folder(&self, path: &str, mode: u32, nearby: &mut Nearby) -> Result<(), Problem> {
        if path.is_empty() {
            return self.header();
        }
        self.stop.check()?;
        self.open_folder(path, nearby)?;
        let mut last = self.last();
        if let Some(known) = last.folder_modes.get_mut(path) {
            *known = mode;
            return self.header();
        }
        last.folder_bytes += path.len();
        if last.folder_bytes > MOST_FOLDER_BYTES {
            let text = "the archive has folders whose names have more than 32 MiB together; use fewer or shorter ones";
            return Err(Problem::Archive(text.to_owned()));
        }
        last.folder_modes.insert(path.to_owned(), mode);
        Ok(())
    }

    /// Takes note of a link, to be made at the end.
    pub(super) fn link(&self, path: String, target: String) -> Result<(), Problem> {
        self.stop.check()?;
        self.spend_entry()?;
        let twice = taken(&path);
        self.last().links.insert(path, target).map_err(|why| match why {
            NotAdded::Twice => twice,
            NotAdded::TooMuch => Problem::Archive(format!("the archive {}", NotAdded::TOO_MUCH)),
        })
    }

    /// Makes a second name for a file that this archive has unpacked already.
    pub(super) fn hard_link(&self, path: &str, to: &str, nearby: &mut Nearby) -> Result<(), Problem> {
        self.stop.check()?;
        let is_file = self.root.symlink_metadata(to).is_ok_and(|found| found.is_file());
        if !is_file {
            let (path, to) = (shown(path), shown(to));
            let text =
                format!("the hard link `{path}` names `{to}`, which is no file that came before it in the archive");
            return Err(Problem::Archive(text));
        }
        self.spend_entry()?;
        let (folder, name) = self.parent(path, nearby)?;
        self.root.hard_link(to, folder, name).map_err(|error| taken_or(path, &error))
    }

    /// Makes the links and sets the folders' modes. Every thread that writes must have ended.
    pub(super) fn finish(self) -> Result<Staged, Problem> {
        let Last { links, folder_modes, .. } = std::mem::take(&mut *self.last());
        // First all the folders that links lie in, then the links: no folder is opened when there is a link already.
        let mut nearby = Nearby::default();
        let sorted = links.sorted();
        for (path, _) in &sorted {
            self.stop.check()?;
            self.parent(path, &mut nearby)?;
        }
        if let Some(text) = links.one_that_leads_out(self.stop)? {
            return Err(Problem::Archive(text));
        }
        for (path, target) in sorted {
            self.stop.check()?;
            self.root.symlink_contents(target, path).map_err(|error| taken_or(path, &error))?;
        }
        // Children before their parents, because a folder may be about to lose the permission to enter it.
        for (path, mode) in folder_modes.into_iter().rev() {
            self.stop.check()?;
            let set = self.root.open_with(&path, &readable_folder()).and_then(|folder| set_mode(&folder, mode));
            set.map_err(|error| Problem::writing(&path, &error))?;
        }
        Ok(Staged { bytes: self.bytes.into_inner(), entries: self.entries.into_inner() })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The open folder that `path` lies in, made where it is missing, and the last component of `path`.
    fn parent<'p, 'n>(&self, path: &'p str, nearby: &'n mut Nearby) -> Result<(&'n Dir, &'p str), Problem> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok((self.open_folder(folder, nearby)?, name))
    }

    fn open_folder<'n>(&self, path: &str, nearby: &'n mut Nearby) -> Result<&'n Dir, Problem> {
        if nearby.0.as_ref().is_none_or(|(open, _)| open != path) {
            let mut folder = self.root.try_clone().map_err(|error| Problem::writing(path, &error))?;
            for name in path.split('/').filter(|name| !name.is_empty()) {
                folder = self.enter(&folder, name).map_err(|error| match error.kind() {
                    io::ErrorKind::NotADirectory => taken(path),
                    _ => Problem::inside(&error, |error| Problem::writing(path, error)),
                })?;
            }
            nearby.0 = Some((path.to_owned(), folder));
        }
        match &nearby.0 {
            Some((_, folder)) => Ok(folder),
            None => Err(Problem::Interrupted),
        }
    }

    fn enter(&self, folder: &Dir, name: &str) -> io::Result<Dir> {
        match folder.open_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.spend_entry()?;
                match folder.create_dir_with(name, DirBuilder::new().mode(0o755)) {
                    // Another thread was faster.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    result => result?,
                }
                folder.open_dir(name)
            }
            result => result,
        }
    }

    /// Counts what is really written, whatever the archive says of its sizes.
    fn spend_bytes(&self, count: u64) -> Result<(), Problem> {
        let spent = self.bytes.fetch_add(count, Ordering::Relaxed).saturating_add(count);
        let limit = self.limits.max_unpacked_bytes;
        if spent > limit { Err(Problem::TooLarge(limit)) } else { Ok(()) }
    }

    fn spend_entry(&self) -> Result<(), Problem> {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.spend()
    }

    fn spend(&self) -> Result<(), Problem> {
        let limit = self.limits.max_entries;
        if self.spent.fetch_add(1, Ordering::Relaxed) >= limit { Err(Problem::TooMany(limit)) } else { Ok(()) }
    }
}

/// How to open a folder for its mode to be changed, which the handles that `open_dir` gives don't allow.
fn readable_folder() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed());
    options
}

fn set_mode(file: impl rustix::fd::AsFd, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o777))?)
}

fn taken(path: &str) -> Problem {
    let path = shown(path);
    Problem::Archive(format!(
        "the archive has several entries for `{path}`, or a file or link where another entry needs a folder"
    ))
}

fn taken_or(path: &str, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => taken(path),
        _ => Problem::writing(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_fill_at_most_32_mib() {
        let (folder, stop) = (tempfile::tempdir().unwrap(), Stop::new());
        let limits = Limits { max_unpacked_bytes: 0, max_entries: 100_000 };
        let jail = Jail::new(folder.path(), limits, &stop).unwrap();
        let mut nearby = Nearby::default();
        jail.folder("first", 0o755, &mut nearby).unwrap();
        assert_eq!(jail.last().folder_bytes, 5);
        jail.last().folder_bytes = MOST_FOLDER_BYTES - 6;
        jail.folder("second", 0o755, &mut nearby).unwrap();
        jail.folder("first", 0o700, &mut nearby).unwrap();
        let text = jail.folder("x", 0o755, &mut nearby).unwrap_err().to_string();
        assert!(text.contains("folders whose names have more than 32 MiB together"), "{text}");
    }
}
