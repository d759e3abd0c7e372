//! A folder becomes a zip archive, written as a stream.
//!
//! The same tree gives the same bytes: names are sorted, every entry has the same date, and of the owner and mode only the
//! permission bits are stored. A symbolic link is data: it is stored unchanged, wherever it leads, and never followed.
//!
//! Sockets, named pipes and devices are left out with a warning, as Info-ZIP's `zip` does. A helper process of a build often
//! leaves its socket behind, and no consumer could use it.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::Staged;
use super::error::{Problem, shown};
use super::limits::UnpackLimits;
use super::stop::Stop;
use archive::Archive;
use survey::{Entry, Kind};

mod archive;
mod survey;

/// Writes the folder `from` as a zip archive. Blocks; nothing is written before the whole tree was looked through.
pub(super) fn pack(from: &Path, to: impl Write, limits: UnpackLimits, stop: &Stop) -> Result<Staged, Problem> {
    let root = open_root(from)?;
    let survey = survey::survey(&root, limits, stop)?;
    if let Some(entries) = survey.special.text() {
        tracing::warn!(entries, "left sockets, named pipes and devices out of the output artifact");
    }
    let mut archive = Archive::new(to);
    let mut bytes = 0;
    for entry in &survey.entries {
        stop.check()?;
        bytes += write_entry(&mut archive, entry, &root, stop)?;
    }
    archive.finish().map_err(|error| sending(&error))?;
    Ok(Staged { bytes, entries: survey.entries.len() as u64 })
}

/// Opens the folder itself, never what a link points to in its place or in the place of a folder around it. The command can
/// replace all of them, for example by a link to `/proc/self`, where the worker may read files that the command may not.
fn open_root(from: &Path) -> Result<Dir, Problem> {
    match open_without_links(from) {
        Ok(folder) => Ok(Dir::from_std_file(folder.into())),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let text = "a file or a link stands where the output folder was, or where a folder around it was; put the output \
                        into the folder itself";
            Err(Problem::Output(text.to_owned()))
        }
        Err(error) => Err(Problem::Output(format!("the output folder can't be opened: {error}"))),
    }
}

/// Opens a folder by its real path, name by name.
fn open_without_links(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let enter = |folder: BorrowedFd<'_>, name: &OsStr, more: OFlags| openat(folder, name, flags | more, Mode::empty());
    let mut names: Vec<_> = path.components().map(Component::as_os_str).collect();
    let last = names.pop().ok_or(Errno::NOENT)?;
    let mut reached: Option<OwnedFd> = None;
    for name in names {
        reached = Some(enter(reached.as_ref().map_or(CWD, AsFd::as_fd), name, OFlags::PATH)?);
    }
    enter(reached.as_ref().map_or(CWD, AsFd::as_fd), last, OFlags::RDONLY)
}

/// Writes an entry. Returns the size of a file.
fn write_entry<W: Write>(archive: &mut Archive<W>, entry: &Entry, root: &Dir, stop: &Stop) -> Result<u64, Problem> {
    let Entry { path, kind, mode } = entry;
    let written = match kind {
        Kind::Folder => archive.folder(&format!("{path}/"), *mode).map(|()| 0),
        Kind::Link => {
            let target = root.read_link_contents(path).map_err(|error| cannot(path, "be read", &error))?;
            archive.link(path, *mode, target.as_os_str().as_bytes()).map(|()| 0)
        }
        Kind::File => {
            let (mut file, size) = open_file(root, path)?;
            archive.file(path, *mode, size, |to| Ok(copy(&mut file, path, to, stop)?))
        }
    };
    written.map_err(|error| sending(&error))
}

/// Opens a file. Returns its size, too, which may change.
fn open_file(root: &Dir, path: &str) -> Result<(cap_std::fs::File, u64), Problem> {
    let mut options = OpenOptions::new();
    // Neither follows a link nor waits for a pipe's writer, should the file have become one since the survey.
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = root.open_with(path, &options);
    let opened = file.and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
    opened.map_err(|error| cannot(path, "be read", &error))
}

fn copy(file: &mut impl Read, path: &str, to: &mut dyn Write, stop: &Stop) -> Result<(), Problem> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        stop.check()?;
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot(path, "be read", &error)),
        };
        to.write_all(&buffer[..count]).map_err(|error| sending(&error))?;
    }
}

fn cannot(path: &str, what: &str, error: &io::Error) -> Problem {
    let path = if path.is_empty() {
        "the output folder".to_owned()
    } else {
        format!("`{}` in the output folder", shown(path))
    };
    Problem::Output(format!("{path} can't {what}: {error}"))
}

/// An error of writing the archive: its receiver has stopped, or a name has more than the 65,535 bytes that zip can say.
fn sending(error: &io::Error) -> Problem {
    Problem::inside(error, |error| match error.kind() {
        io::ErrorKind::InvalidFilename => {
            Problem::Output("a path in the output folder has more than 65,535 bytes; make the tree flatter".to_owned())
        }
        _ => Problem::Interrupted,
    })
}
