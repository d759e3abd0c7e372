//! Removes the folders of actions.

use std::io;
use std::path::Path;

use tempfile::TempDir;

/// Removes the folder. Builds leave write-protected folders, such as Go's module cache, so those become writable first.
pub(super) fn remove_all(root: TempDir) -> io::Result<()> {
    let path = root.path().to_owned();
    if root.close().is_ok() {
        return Ok(());
    }
    make_writable(&path)?;
    std::fs::remove_dir_all(&path)
}

fn make_writable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // The type of a link is not that of its target, so no folder outside changes.
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}
