//! The data folder.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The folder of the objects.
pub(crate) enum Folder {
    /// A folder of the user, created if it does not exist.
    Given(PathBuf),
    /// A folder that is removed after the last request.
    Temporary(TempDir),
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}
