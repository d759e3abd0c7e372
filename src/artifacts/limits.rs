//! The limits of one artifact, and the count of its content so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::error::Problem;

/// The limits of one artifact.
#[derive(Clone, Copy, Debug)]
pub struct UnpackLimits {
    /// The most bytes of file content, counted as they are written.
    pub max_unpacked_bytes: u64,
    /// The most files. Folders and links together have the same limit, and so have entries that leave nothing of their own.
    /// CodePipeline's own limit for an S3 object is 100 000 files (quotas, CodePipeline User Guide). Each takes an inode and
    /// up to a block more than its bytes: 100 000 files of one byte take 400 MB with blocks of 4 KiB.
    pub max_entries: u64,
}

/// The kinds of entries. [`UnpackLimits::max_entries`] limits each of them on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Files, hard links included.
    Files,
    /// Folders, also those that are only implied, and symbolic links.
    FoldersAndLinks,
    /// Entries that were skipped, replaced or repeated, and headers that describe other entries.
    Leftovers,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::FoldersAndLinks => "folders and links",
            Self::Leftovers => "entries that were skipped, replaced or repeated",
        })
    }
}

/// Counts what an artifact holds. Threads may share it.
pub(super) struct Tally {
    limits: UnpackLimits,
    bytes: AtomicU64,
    files: AtomicU64,
    folders_and_links: AtomicU64,
    leftovers: AtomicU64,
}

impl Tally {
    pub(super) fn new(limits: UnpackLimits) -> Self {
        let [bytes, files, folders_and_links, leftovers] = [const { AtomicU64::new(0) }; 4];
        Self { limits, bytes, files, folders_and_links, leftovers }
    }

    /// Counts content while it is written, because an archive may lie about its sizes.
    pub(super) fn add_bytes(&self, count: u64) -> Result<(), Problem> {
        let before = self.bytes.fetch_add(count, Relaxed);
        let limit = self.limits.max_unpacked_bytes;
        if before.saturating_add(count) > limit { Err(Problem::TooLarge(limit)) } else { Ok(()) }
    }

    pub(super) fn add(&self, what: Counted) -> Result<(), Problem> {
        let limit = self.limits.max_entries;
        if self.count(what).fetch_add(1, Relaxed) >= limit { Err(Problem::TooMany(what, limit)) } else { Ok(()) }
    }

    /// Something was removed again, and counts as a leftover.
    pub(super) fn replaced(&self, what: Counted) -> Result<(), Problem> {
        let _ = self.count(what).fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
        self.add(Counted::Leftovers)
    }

    /// The content so far, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Files, folders and links together.
    pub(super) fn entries(&self) -> u64 {
        self.files.load(Relaxed) + self.folders_and_links.load(Relaxed)
    }

    fn count(&self, what: Counted) -> &AtomicU64 {
        match what {
            Counted::Files => &self.files,
            Counted::FoldersAndLinks => &self.folders_and_links,
            Counted::Leftovers => &self.leftovers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 10, max_entries: 2 };

    #[test]
    fn files_have_a_limit_apart_from_folders_and_links() {
        let tally = Tally::new(LIMITS);
        for what in [Counted::Files, Counted::FoldersAndLinks, Counted::Leftovers] {
            tally.add(what).unwrap();
            tally.add(what).unwrap();
            assert_eq!(tally.add(what), Err(Problem::TooMany(what, 2)));
        }
        let text = Problem::TooMany(Counted::Files, 2).to_string();
        assert!(text.starts_with("it has more than 2 files, the limit; raise MAX_ENTRIES"), "{text}");
    }

    #[test]
    fn a_replaced_file_makes_room_for_its_successor() {
        let tally = Tally::new(LIMITS);
        tally.add(Counted::Files).unwrap();
        tally.add(Counted::Files).unwrap();
        tally.replaced(Counted::Files).unwrap();
        tally.add(Counted::Files).unwrap();
        assert_eq!(tally.entries(), 2);
    }

    #[test]
    fn bytes_are_counted_up_to_the_limit() {
        let tally = Tally::new(LIMITS);
        tally.add_bytes(10).unwrap();
        assert_eq!(tally.add_bytes(u64::MAX - 10), Err(Problem::TooLarge(10)));
    }
}
