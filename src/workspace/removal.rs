//! Removes a folder, even if a command has locked or replaced parts of it.

use std::fs::Permissions;
use std::io;
use std::ops::AddAssign;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The size of files on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Files, folders and links.
    pub(super) entries: u64,
    /// Bytes on the disk, in whole blocks.
    pub(super) bytes: u64,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
    }
}

/// The size of a file or folder that will be removed. Makes its folders readable. Does not count files whose path is too long for
/// the system.
pub(super) fn measure(path: &Path) -> Size {
    let mut size = Size::default();
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        // `st_blocks` counts in units of 512 bytes on every disk.
        size += Size { entries: 1, bytes: metadata.blocks() * 512 };
        if metadata.is_dir() {
            let _ = make_writable(&path);
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            pending.extend(entries.map(|entry| entry.path()));
        }
    }
    size
}

/// Gives the owner all rights if this user owns the folder. Leaves the rights of others unchanged.
pub(super) fn unlock(folder: &Path) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    let mode = metadata.permissions().mode();
    if metadata.is_dir() && mode & 0o700 != 0o700 && metadata.uid() == rustix::process::geteuid().as_raw() {
        std::fs::set_permissions(folder, Permissions::from_mode(mode | 0o700))?;
    }
    Ok(())
}

/// Removes `root`: a folder with its content, a file, or a link but not its target. Succeeds if `root` does not exist.
pub(super) fn remove_tree(root: &Path) -> io::Result<()> {
    if root.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return std::fs::remove_file(root);
    }
    match std::fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Folders without permissions, or nested more deeply than this process may open files.
        Err(_) => remove_forcibly(root),
        Ok(()) => Ok(()),
    }
}

/// Makes each folder writable and moves it to the top before it lists it, so that no path is too long. Follows no link. No process
/// may use the folder any more.
fn remove_forcibly(root: &Path) -> io::Result<()> {
    let mut pending = vec![root.to_owned()];
    let mut moved = 0_u64;
    while let Some(folder) = pending.pop() {
        make_writable(&folder)?;
        for entry in std::fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()? {
            if !entry.file_type()?.is_dir() {
                std::fs::remove_file(entry.path())?;
                continue;
            }
            // Moving a folder changes its `..`, so it must be writable.
            make_writable(&entry.path())?;
            let at_the_top = unused(root, &mut moved);
            std::fs::rename(entry.path(), &at_the_top)?;
            pending.push(at_the_top);
        }
        if folder != root {
            std::fs::remove_dir(&folder)?;
        }
    }
    std::fs::remove_dir(root)
}

/// Gives the owner all rights, and others none.
pub(super) fn make_writable(folder: &Path) -> io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
}

fn unused(root: &Path, number: &mut u64) -> PathBuf {
    loop {
        let path = root.join(format!("moved-{number}"));
        *number += 1;
        if path.symlink_metadata().is_err() {
            return path;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_and_deeply_nested_folders_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("job");
        let deep: PathBuf = std::iter::repeat_n("d", 1500).collect();
        std::fs::create_dir_all(root.join(&deep)).unwrap();
        std::fs::write(root.join(&deep).join("file"), "x").unwrap();
        std::fs::create_dir_all(root.join("locked/inner")).unwrap();
        std::fs::write(root.join("moved-0"), "obstacle").unwrap();
        std::fs::set_permissions(root.join("locked"), Permissions::from_mode(0o000)).unwrap();

        remove_forcibly(&root).unwrap();

        assert!(!root.exists());
    }

    #[test]
    fn a_link_is_removed_and_its_target_stays() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        let root = parent.path().join("job");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();

        remove_forcibly(&root).unwrap();

        assert!(!root.exists());
        assert!(outside.join("kept").exists());
    }

    #[test]
    fn locked_folders_and_links_are_measured() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("left");
        std::fs::create_dir_all(root.join("locked")).unwrap();
        std::fs::write(root.join("locked/file"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", root.join("link")).unwrap();
        std::fs::set_permissions(root.join("locked"), Permissions::from_mode(0o000)).unwrap();
        let size = measure(&root);
        assert_eq!(size.entries, 4);
        assert!((100_000..200_000).contains(&size.bytes), "{size:?}");
    }

    #[test]
    fn a_link_or_a_file_instead_of_a_folder_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let (outside, locked) = (parent.path().join("outside"), parent.path().join("locked"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        std::fs::set_permissions(&outside, Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(&locked).unwrap();
        let root = locked.join("job");
        std::os::unix::fs::symlink(&outside, &root).unwrap();
        std::fs::set_permissions(&locked, Permissions::from_mode(0o500)).unwrap();
        // This fails for an ordinary user. It must not change the target.
        let _ = remove_tree(&root);
        assert!(outside.join("kept").exists());
        assert_eq!(outside.metadata().unwrap().permissions().mode() & 0o777, 0o755);
        make_writable(&locked).unwrap();
        remove_tree(&root).unwrap();
        std::fs::write(&root, "x").unwrap();
        remove_tree(&root).unwrap();
        assert!(root.symlink_metadata().is_err() && outside.join("kept").exists());
    }

    #[test]
    fn a_missing_folder_is_not_an_error() {
        let parent = tempfile::tempdir().unwrap();
        remove_tree(&parent.path().join("never")).unwrap();
    }
}
