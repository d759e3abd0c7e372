//! Writes a listing to a file and reads it. If this process dies, the next one uses the file.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::super::removal::remove_tree;
use super::Listing;

/// The limits for a file that is read. A command may have written a large one to use up the next process's memory.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
const MAX_NAMES: usize = 100_000;

/// The end of a complete file.
const END: &[u8] = b"end";

impl Listing {
    /// Writes the listing to `file` atomically.
    pub(in super::super) fn write(&self, file: &Path) -> io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("/"));
        let mut text = Vec::new();
        for (path, file_type) in &self.0 {
            text.push(*file_type);
            text.extend_from_slice(path.as_os_str().as_bytes());
            text.push(0);
        }
        text.extend_from_slice(END);
        let unfinished = folder.join(format!("{}.new", file.file_name().unwrap_or_default().to_string_lossy()));
        // A command may have created a link or a named pipe of this name.
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

    /// Reads a file that [`Listing::write`] wrote. Returns `None` if it does not exist, is incomplete or is too large.
    pub(in super::super) fn read(file: &Path) -> Option<Self> {
        // Only a command would create a link here.
        file.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(file).ok()?;
        let mut text = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut text).ok()?;
        if text.len() as u64 > MAX_BYTES || text.iter().filter(|byte| **byte == 0).count() > MAX_NAMES {
            return None;
        }
        let entries = text.strip_suffix(END)?;
        let entries = entries.split(|byte| *byte == 0).filter_map(|entry| {
            let (file_type, path) = entry.split_first()?;
            Some((PathBuf::from(OsStr::from_bytes(path)), *file_type))
        });
        Some(Self(entries.collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_huge_listing_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("listing");
        std::fs::write(&file, END).unwrap();
        assert_eq!(Listing::read(&file), Some(Listing(BTreeMap::new())));
        std::fs::write(&file, [b"fa\0".repeat(MAX_NAMES + 1), END.to_vec()].concat()).unwrap();
        assert_eq!(Listing::read(&file), None);
        let long = vec![b'f'; usize::try_from(MAX_BYTES).unwrap()];
        std::fs::write(&file, [long, END.to_vec()].concat()).unwrap();
        assert_eq!(Listing::read(&file), None);
        // A sparse file that would not fit into memory.
        std::fs::File::create(&file).unwrap().set_len(1 << 43).unwrap();
        assert_eq!(Listing::read(&file), None);
    }
}
