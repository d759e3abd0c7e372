//! Packs a folder into a zip archive, written as a stream.
//!
//! The same tree gives the same bytes. Names are sorted, every entry has the same date, and only the permission bits of owner
//! and mode are stored. A symbolic link is data: it is stored unchanged and never followed.
//!
//! Sockets, named pipes and devices are skipped with a warning, as Info-ZIP's `zip` does. A helper process of a build often
//! leaves its socket behind, and no consumer can use it.

use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::Staged;
use super::error::{Problem, shown};
use super::limits::UnpackLimits;
use super::stop::Stop;
use root::open_root;
use tree::{Entry, EntryType, Tree};
use zip::Archive;

mod root;
mod tree;
mod zip;

/// Writes the folder `from` as a zip archive. Blocks. Lists the whole tree before it writes anything.
pub(super) fn pack(from: &Path, to: impl Write, limits: UnpackLimits, stop: &Stop) -> Result<Staged, Problem> {
    let root = open_root(from)?;
    let tree = Tree::list(&root, limits, stop)?;
    if let Some(entries) = tree.special.text() {
        tracing::warn!(entries, "skipped sockets, named pipes and devices in the output artifact");
    }
    let mut archive = Archive::new(to);
    let mut bytes = 0;
    for entry in &tree.entries {
        stop.check()?;
        bytes += write_entry(&mut archive, entry, &root, stop)?;
    }
    archive.finish().map_err(|error| write_problem(&error))?;
    Ok(Staged { bytes, entries: tree.entries.len() as u64 })
}

/// Writes an entry. Returns the size of a file.
fn write_entry<W: Write>(archive: &mut Archive<W>, entry: &Entry, root: &Dir, stop: &Stop) -> Result<u64, Problem> {
    let Entry { path, entry_type, mode } = entry;
    let written = match entry_type {
        EntryType::Folder => archive.folder(&format!("{path}/"), *mode).map(|()| 0),
        EntryType::Link => {
            let target = root.read_link_contents(path).map_err(|error| could_not("read", path, &error))?;
            archive.link(path, *mode, target.as_os_str().as_bytes()).map(|()| 0)
        }
        EntryType::File => {
            let (mut file, size) = open_file(root, path)?;
            archive.file(path, *mode, size, |to| Ok(copy(&mut file, path, to, stop)?))
        }
    };
    written.map_err(|error| write_problem(&error))
}

/// Opens a file. Also returns its present size, which may change.
fn open_file(root: &Dir, path: &str) -> Result<(cap_std::fs::File, u64), Problem> {
    let mut options = OpenOptions::new();
    // Follows no link and does not wait for a pipe's writer: the file may have been replaced since the tree was listed.
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = root.open_with(path, &options);
    let opened = file.and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
    opened.map_err(|error| could_not("read", path, &error))
}

fn copy(file: &mut impl Read, path: &str, to: &mut dyn Write, stop: &Stop) -> Result<(), Problem> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        stop.check()?;
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(could_not("read", path, &error)),
        };
        to.write_all(&buffer[..count]).map_err(|error| write_problem(&error))?;
    }
}

fn could_not(what: &str, path: &str, error: &io::Error) -> Problem {
    let path = if path.is_empty() {
        "the output folder".to_owned()
    } else {
        format!("`{}` in the output folder", shown(path))
    };
    Problem::Output(format!("could not {what} {path}: {error}"))
}

/// The problem behind an error of writing the archive: its receiver has stopped, or a name exceeds zip's 65,535 bytes.
fn write_problem(error: &io::Error) -> Problem {
    Problem::inside(error, |error| match error.kind() {
        io::ErrorKind::InvalidFilename => Problem::Output(
            "a path in the output folder has more than 65,535 bytes; use fewer nested folders".to_owned(),
        ),
        _ => Problem::Interrupted,
    })
}
