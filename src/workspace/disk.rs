//! The free space on the disk of the jobs' folders.

use std::path::Path;

/// The disk has too little free space for a job that needs files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{free} bytes are free in WORK_FOLDER, but a job that needs files takes at least {needed} (MIN_FREE_BYTES): raise the function's \
     ephemeral storage (EphemeralStorageSize), or set CLEAN_TMP=true to remove what commands leave there"
)]
pub struct Shortage {
    /// Bytes that this user may still write.
    pub free: u64,
    /// Bytes that must be free.
    pub needed: u64,
}

/// Returns a shortage if fewer than `needed` bytes are free on the disk of `folder`, or of its parent if `folder` does not exist. If
/// the system does not report the free space, the disk counts as large enough. Creating the job's folder then reports the error.
pub fn shortage(folder: &Path, needed: u64) -> Option<Shortage> {
    let free = free_bytes(folder)?;
    (free < needed).then_some(Shortage { free, needed })
}

/// How many bytes this user may still write to the disk of `folder`, or of its parent if `folder` does not exist. `None` if the
/// system does not report it.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let parent = || rustix::fs::statvfs(folder.parent().unwrap_or(folder));
    let disk = rustix::fs::statvfs(folder).or_else(|_| parent()).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_the_minimum_is_a_shortage() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(shortage(folder.path(), 0), None);
        assert_eq!(shortage(folder.path(), 1), None);
        for folder in [folder.path(), &folder.path().join("to be created")] {
            let shortage = shortage(folder, u64::MAX).unwrap();
            assert!(shortage.free > 1 && shortage.needed == u64::MAX, "{shortage}");
        }
        assert_eq!(shortage(Path::new("/no/such/folder"), u64::MAX), None);
    }
}
