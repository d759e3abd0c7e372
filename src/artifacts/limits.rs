//! The limits of one artifact, and the count of its content so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::error::Problem;

/// The limits of one artifact, both when it is unpacked and when it is packed.
#[derive(Clone, Copy, Debug)]
pub struct UnpackLimits {
    /// The limit for bytes of file content, counted while they are written.
    pub max_unpacked_bytes: u64,
    /// The limit for files. It also applies to folders and links together, and to ignored entries.
    ///
    /// CodePipeline allows 100 000 files in an S3 object (CodePipeline User Guide, quotas). Each file takes an inode and
    /// fills its last block: 100 000 files of one byte take 400 MB with blocks of 4 KiB.
    pub max_entries: u64,
}

/// The classes of entries. [`UnpackLimits::max_entries`] applies to each class separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryClass {
    /// Files, hard links included.
    Files,
    /// Symbolic links and folders, including folders that only occur in other entries' paths.
    FoldersAndLinks,
    /// Entries that were skipped, replaced or repeated, and headers that describe other entries.
    Ignored,
}

impl fmt::Display for EntryClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::FoldersAndLinks => "folders and links",
            Self::Ignored => "entries that were skipped, replaced or repeated",
        })
    }
}

/// Counts the content of an artifact. Threads may share it.
pub(super) struct Tally {
    limits: UnpackLimits,
    bytes: AtomicU64,
    files: AtomicU64,
    folders_and_links: AtomicU64,
    ignored: AtomicU64,
}

impl Tally {
    pub(super) fn new(limits: UnpackLimits) -> Self {
        let [bytes, files, folders_and_links, ignored] = [const { AtomicU64::new(0) }; 4];
        Self { limits, bytes, files, folders_and_links, ignored }
    }

    /// Counts bytes while they are written, because an archive may lie about its sizes.
    pub(super) fn add_bytes(&self, count: u64) -> Result<(), Problem> {
        let before = self.bytes.fetch_add(count, Relaxed);
        let limit = self.limits.max_unpacked_bytes;
        if before.saturating_add(count) > limit { Err(Problem::TooLarge(limit)) } else { Ok(()) }
    }

    pub(super) fn add(&self, what: EntryClass) -> Result<(), Problem> {
        let limit = self.limits.max_entries;
        if self.count(what).fetch_add(1, Relaxed) >= limit { Err(Problem::TooMany(what, limit)) } else { Ok(()) }
    }

    /// Counts an entry that was removed again as ignored.
    pub(super) fn replaced(&self, what: EntryClass) -> Result<(), Problem> {
        let _ = self.count(what).fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
        self.add(EntryClass::Ignored)
    }

    /// The bytes of content so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The number of files, folders and links.
    pub(super) fn entries(&self) -> u64 {
        self.files.load(Relaxed) + self.folders_and_links.load(Relaxed)
    }

    fn count(&self, what: EntryClass) -> &AtomicU64 {
        match what {
            EntryClass::Files => &self.files,
            EntryClass::FoldersAndLinks => &self.folders_and_links,
            EntryClass::Ignored => &self.ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 10, max_entries: 2 };

    #[test]
    fn each_class_of_entries_has_its_own_limit() {
        let tally = Tally::new(LIMITS);
        for what in [EntryClass::Files, EntryClass::FoldersAndLinks, EntryClass::Ignored] {
            tally.add(what).unwrap();
            tally.add(what).unwrap();
            assert_eq!(tally.add(what), Err(Problem::TooMany(what, 2)));
        }
        let text = Problem::TooMany(EntryClass::Files, 2).to_string();
        assert!(text.starts_with("it has more than 2 files, the limit; raise MAX_ENTRIES"), "{text}");
    }

    #[test]
    fn a_replaced_file_makes_room_for_its_successor() {
        let tally = Tally::new(LIMITS);
        tally.add(EntryClass::Files).unwrap();
        tally.add(EntryClass::Files).unwrap();
        tally.replaced(EntryClass::Files).unwrap();
        tally.add(EntryClass::Files).unwrap();
        assert_eq!(tally.entries(), 2);
    }

    #[test]
    fn bytes_beyond_the_limit_are_refused() {
        let tally = Tally::new(LIMITS);
        tally.add_bytes(10).unwrap();
        assert_eq!(tally.add_bytes(u64::MAX - 10), Err(Problem::TooLarge(10)));
    }
}
