//! Removes a folder, whatever has been made of it.

use std::fs::Permissions;
use std::io;
use std::ops::AddAssign;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How much room something takes on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Files, folders and links.
    pub(super) entries: u64,
    /// The room that they take, in whole blocks.
    pub(super) bytes: u64,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
    }
}

/// The size of a file, or of a folder that is to be removed: its folders become readable. Files whose path is longer than the
/// system allows are not counted.
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

/// Gives this user, if the folder is this user's, the rights to list and change it, and takes none from others.
pub(super) fn unlock(folder: &Path) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    let mode = metadata.permissions().mode();
    if metadata.is_dir() && mode & 0o700 != 0o700 && metadata.uid() == rustix::process::geteuid().as_raw() {
        std::fs::set_permissions(folder, Permissions::from_mode(mode | 0o700))?;
    }
    Ok(())
}

/// Removes whatever stands at `root`: a folder with everything in it, a file, or a link and not its target. That nothing is
/// there is fine.
pub(super) fn remove_tree(root: &Path) -> io::Result<()> {
    if root.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return std::fs::remove_file(root);
    }
    match std::fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Folders without permissions, or more of them in one another than this process may open files.
        Err(_) => remove_stubborn(root),
        Ok(()) => Ok(()),
    }
}

/// Moves every folder up to the top before looking into it, so that no path gets long, and makes each writable. Nothing is
/// followed: links are removed as links. Nobody may be at work in the folder any more.
fn remove_stubborn(root: &Path) -> io::Result<()> {
    let mut pending = vec![root.to_owned()];
    let mut moved = 0_u64;
    while let Some(folder) = pending.pop() {
        make_writable(&folder)?;
        for entry in std::fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()? {
            if !entry.file_type()?.is_dir() {
                std::fs::remove_file(entry.path())?;
                continue;
            }
            // Moving a folder to another one changes its `..`, for which it must be writable.
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

/// Gives this user, who owns the folder, every right to it.
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
    fn a_tree_of_locked_and_deep_folders_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("job");
        let deep: PathBuf = std::iter::repeat_n("d", 1500).collect();
        std::fs::create_dir_all(root.join(&deep)).unwrap();
        std::fs::write(root.join(&deep).join("file"), "x").unwrap();
        std::fs::create_dir_all(root.join("locked/inner")).unwrap();
        std::fs::write(root.join("moved-0"), "in the way").unwrap();
        std::fs::set_permissions(root.join("locked"), Permissions::from_mode(0o000)).unwrap();

        remove_stubborn(&root).unwrap();

        assert!(!root.exists());
    }

    #[test]
    fn a_link_is_removed_and_what_it_points_to_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        let root = parent.path().join("job");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();

        remove_stubborn(&root).unwrap();

        assert!(!root.exists());
        assert!(outside.join("kept").exists());
    }

    #[test]
    fn the_size_of_locked_folders_and_links_is_their_own() {
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
    fn a_link_or_a_file_in_the_place_of_a_folder_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let (outside, locked) = (parent.path().join("outside"), parent.path().join("locked"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        std::fs::set_permissions(&outside, Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(&locked).unwrap();
        let root = locked.join("job");
        std::os::unix::fs::symlink(&outside, &root).unwrap();
        std::fs::set_permissions(&locked, Permissions::from_mode(0o500)).unwrap();
        // It fails for an ordinary user, and must not touch the target then.
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
    fn a_folder_that_is_not_there_is_no_error() {
        let parent = tempfile::tempdir().unwrap();
        remove_tree(&parent.path().join("never")).unwrap();
    }
}
