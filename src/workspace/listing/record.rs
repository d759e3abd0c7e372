//! A listing as a file, for the process that comes after this one.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::super::removal::remove_tree;
use super::Listing;

/// A record that is longer or has more names is not read: a command may have written it, to use up the next process's memory.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const MOST_NAMES: usize = 100_000;

/// The last words of a record, without which it is not whole.
const END: &[u8] = b"end";

impl Listing {
    /// Writes the listing to `file`, whole or not at all.
    pub(in super::super) fn write(&self, file: &Path) -> io::Result<()> {
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
    pub(in super::super) fn read(file: &Path) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
}
