//! A list of all files in a folder at one moment, and the removal of files that came later.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fs::{DirEntry, FileType};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::mounts;
use super::removal::{Size, measure, remove_tree, unlock};
use super::work_folder::{is_a_workers, is_held};

/// A folder is not looked into if that would make a listing longer than this: listing 2,000 names takes milliseconds. Lambda's
/// `/tmp` begins empty: only what an extension puts there makes a listing long.
const MOST: usize = 2_000;

/// A record that is longer or has more names is not read: a command may have written it, to use up the next process's memory.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const MOST_NAMES: usize = 100_000;

/// The last words of a record, without which it is not whole.
const END: &[u8] = b"end";

/// A folder that was looked into.
const OPEN: u8 = b'd';
/// A folder that was not looked into: it could not be read, or holds too much.
const CLOSED: u8 = b'c';

/// The names in a folder, those in its folders included, and what kind of file each one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<PathBuf, u8>);

/// Paths that a listing leaves out and that are never removed.
pub(super) struct Kept<'a> {
    /// The folder of the job, or at the start of a process all of the worker's own folder.
    pub(super) folder: &'a Path,
    /// The worker's own folder, which may be looked into.
    pub(super) own: &'a Path,
    /// Where the listing itself is kept.
    pub(super) record: &'a Path,
}

impl Kept<'_> {
    /// Whether to leave out `path`. The worker's own lock is left out, and so are the folders and locks of other workers that
    /// live. Their names alone protect nothing: a command can give them to its files.
    fn has(&self, path: &Path, is_at_the_top: bool) -> bool {
        let is_a_workers = || path.file_name().is_some_and(is_a_workers);
        let lock = path.with_extension("lock");
        let is_taken = || path == self.own.with_extension("lock") || is_held(&lock);
        path == self.folder
            || path == self.record
            || (is_at_the_top && path != self.own && is_a_workers() && is_taken())
    }
}

/// The result of removing leftovers.
#[derive(Default)]
pub(super) struct Removed {
    pub(super) size: Size,
    /// Files and folders that could not be removed, that belong to another user or that hold another file system.
    pub(super) left: u64,
    /// Why the first of them could not be removed.
    pub(super) error: Option<io::Error>,
}

impl Listing {
    /// Lists `top`. The names directly in it are always all there; its folders are looked into while there is room.
    pub(super) fn take(top: &Path, kept: &Kept<'_>) -> io::Result<Self> {
        let mut listing = Self(BTreeMap::new());
        let mut pending = VecDeque::from([PathBuf::new()]);
        while let Some(folder) = pending.pop_front() {
            let is_top = folder.as_os_str().is_empty();
            let entries = match entries(&top.join(&folder)) {
                Ok(entries) if is_top || listing.0.len() + entries.len() <= MOST => entries,
                Err(error) if is_top => return Err(error),
                _ => continue,
            };
            for (entry, kind) in entries {
                if kept.has(&entry.path(), is_top) {
                    continue;
                }
                let path = folder.join(entry.file_name());
                if kind == OPEN {
                    pending.push_back(path.clone());
                }
                // A folder stays closed until all of it is in the listing.
                listing.0.insert(path, if kind == OPEN { CLOSED } else { kind });
            }
            if let Some(kind) = listing.0.get_mut(&folder) {
                *kind = OPEN;
            }
        }
        Ok(listing)
    }

    /// Removes each file of `top` that this listing does not have, by its name and its kind. A file that was there stays, even
    /// if its content has changed. No link is followed. A folder that holds another file system stays.
    pub(super) fn remove_others(&self, top: &Path, kept: &Kept<'_>) -> io::Result<Removed> {
        self.remove_others_around(&mounts::points()?, top, kept)
    }

    fn remove_others_around(&self, mounts: &[PathBuf], top: &Path, kept: &Kept<'_>) -> io::Result<Removed> {
        let user = rustix::process::geteuid().as_raw();
        let mut removed = Removed::default();
        let mut pending = vec![PathBuf::new()];
        while let Some(folder) = pending.pop() {
            let is_top = folder.as_os_str().is_empty();
            let entries = match unlocked_entries(&top.join(&folder)) {
                Err(error) if is_top => return Err(error),
                Err(error) => {
                    removed.fail(error);
                    continue;
                }
                Ok(entries) => entries,
            };
            for (entry, kind) in entries {
                let (path, name) = (entry.path(), folder.join(entry.file_name()));
                if kept.has(&path, is_top) {
                    continue;
                }
                if mounts.iter().any(|mount| mount.starts_with(&path)) {
                    removed.left += u64::from(!self.0.contains_key(&name));
                    continue;
                }
                match self.0.get(&name) {
                    Some(&OPEN) if kind == OPEN => pending.push(name),
                    Some(&CLOSED) if kind == OPEN => {}
                    Some(&known) if kind == known => {}
                    _ => match entry.metadata() {
                        Ok(metadata) if metadata.uid() == user => removed.remove(&path, kind == OPEN),
                        Ok(_) => removed.left += 1,
                        Err(error) => removed.fail(error),
                    },
                }
            }
        }
        Ok(removed)
    }

    /// Writes the listing to `file`, whole or not at all.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("/"));
        let mut text = Vec::new();
        for (path, kind) in &self.0 {
            text.push(*kind);
            text.extend_from_slice(path.as_os_str().as_bytes());
            text.push(0);
        }
        text.extend_from_slice(END);
        let unfinished = folder.join(format!("{}.new", file.file_name().unwrap_or_default().to_string_lossy()));
        // A command may have left a link or a named pipe in its place.
        let _ = remove_tree(&unfinished);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        let written = options
            .open(&unfinished)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| std::fs::rename(&unfinished, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
        written
    }

    /// Reads what [`Listing::write`] wrote; `None` if there is no such file, it is not whole, or it is too large.
    pub(super) fn read(file: &Path) -> Option<Self> {
        // A link in its place would be the work of a command.
        file.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(file).ok()?;
        let mut text = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut text).ok()?;
        if text.len() as u64 > MOST_BYTES || text.iter().filter(|byte| **byte == 0).count() > MOST_NAMES {
            return None;
        }
        let entries = text.strip_suffix(END)?;
        let entries = entries.split(|byte| *byte == 0).filter_map(|entry| {
            let (kind, path) = entry.split_first()?;
            Some((PathBuf::from(OsStr::from_bytes(path)), *kind))
        });
        Some(Self(entries.collect()))
    }
}

impl Removed {
    fn remove(&mut self, path: &Path, is_folder: bool) {
        let size = measure(path);
        let remove = || if is_folder { remove_tree(path) } else { std::fs::remove_file(path) };
        let removed = remove().or_else(|_| {
            // The command may have locked the folder around it.
            path.parent().map_or(Ok(()), unlock)?;
            remove()
        });
        match removed {
            Ok(()) => self.size += size,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.left += 1;
        self.error.get_or_insert(error);
    }
}

/// The files in the folder, each with its kind.
fn entries(folder: &Path) -> io::Result<Vec<(DirEntry, u8)>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let kind = kind(entry.file_type()?);
        Ok((entry, kind))
    });
    entries.collect()
}

/// The same for a folder that a command may have locked.
fn unlocked_entries(folder: &Path) -> io::Result<Vec<(DirEntry, u8)>> {
    entries(folder).or_else(|_| {
        unlock(folder)?;
        entries(folder)
    })
}

fn kind(file_type: FileType) -> u8 {
    match file_type {
        it if it.is_dir() => OPEN,
        it if it.is_symlink() => b'l',
        it if it.is_file() => b'f',
        it if it.is_fifo() => b'p',
        it if it.is_socket() => b's',
        _ => b'o',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("listing");
        std::fs::write(&file, END).unwrap();
        assert_eq!(Listing::read(&file), Some(Listing(BTreeMap::new())));
        std::fs::write(&file, [b"fa\0".repeat(MOST_NAMES + 1), END.to_vec()].concat()).unwrap();
        assert_eq!(Listing::read(&file), None);
        let long = vec![b'f'; usize::try_from(MOST_BYTES).unwrap()];
        std::fs::write(&file, [long, END.to_vec()].concat()).unwrap();
        assert_eq!(Listing::read(&file), None);
        // Not even a file that would not fit into the memory.
        std::fs::File::create(&file).unwrap().set_len(1 << 43).unwrap();
        assert_eq!(Listing::read(&file), None);
    }

    #[test]
    fn a_living_workers_folder_and_lock_are_kept() {
        let parent = tempfile::tempdir().unwrap();
        let top = parent.path();
        let nowhere = Path::new("/nowhere");
        let kept = Kept { folder: nowhere, own: nowhere, record: nowhere };
        let before = Listing::take(top, &kept).unwrap();
        let living = super::super::WorkFolder::take(top).unwrap();
        for name in ["codepipeline-worker-7", "codepipeline-worker-8.lock"] {
            std::fs::create_dir(top.join(name)).unwrap();
        }
        let removed = before.remove_others(top, &kept).unwrap();
        assert_eq!((removed.size.entries, removed.left), (2, 0));
        assert!(living.path().exists() && living.path().with_extension("lock").exists());
        assert_eq!(std::fs::read_dir(top).unwrap().count(), 2);
    }

    #[test]
    fn nothing_that_holds_another_file_system_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let top = parent.path();
        let nowhere = Path::new("/nowhere");
        let kept = Kept { folder: nowhere, own: nowhere, record: nowhere };
        std::fs::create_dir(top.join("old-disk")).unwrap();
        let before = Listing::take(top, &kept).unwrap();
        for folder in ["old-disk", "new/disk", "other"] {
            std::fs::create_dir_all(top.join(folder)).unwrap();
            std::fs::write(top.join(folder).join("file"), "x").unwrap();
        }
        let mounts = [top.to_owned(), top.join("old-disk"), top.join("new/disk")];
        let removed = before.remove_others_around(&mounts, top, &kept).unwrap();
        assert!(
            top.join("old-disk/file").exists() && top.join("new/disk/file").exists() && !top.join("other").exists()
        );
        assert_eq!((removed.size.entries, removed.left), (2, 1));
    }
}
