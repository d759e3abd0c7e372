//! The limits of an archive.

use super::background::Stop;

/// How much an archive may hold.
#[derive(Clone)]
pub(crate) struct Limits {
    /// Files, folders, links, and folders that names imply.
    pub(crate) entries: usize,
    /// The bytes of all files after unpacking.
    pub(crate) bytes: u64,
    /// Ends the work early.
    pub(crate) stop: Stop,
}

impl Default for Limits {
    /// Twice what CodePipeline's largest source may hold: 7 GB from S3 (User Guide, "Quotas").
    fn default() -> Self {
        Self { entries: 500_000, bytes: 14_000_000_000, stop: Stop::default() }
    }
}
