//! The room on the disk that jobs' folders are on.

use std::path::Path;

/// The disk has too little room for a job that needs files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{free} bytes are free in WORK_FOLDER, and a job that needs files takes at least {needed} (MIN_FREE_BYTES): raise the function's \
     ephemeral storage (EphemeralStorageSize), or remove what commands left there (CLEAN_TMP=true does that)"
)]
pub struct Shortage {
    /// Bytes that this user may still write.
    pub free: u64,
    /// Bytes that must be free.
    pub needed: u64,
}

/// Checks whether fewer than `needed` bytes are free on the disk with `folder`, or with the folder around it as long as it does not
/// exist. A disk that does not tell counts as having enough: creating the job's folder then says what is wrong.
pub fn shortage(folder: &Path, needed: u64) -> Option<Shortage> {
    let around = || rustix::fs::statvfs(folder.parent().unwrap_or(folder));
    let disk = rustix::fs::statvfs(folder).or_else(|_| around()).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    (free < needed).then_some(Shortage { free, needed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_less_than_the_minimum_is_short() {
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
