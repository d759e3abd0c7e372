//! The folder of all objects.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where objects are kept.
pub(crate) enum Folder {
    /// In a folder of the user's, which is made if it is not there.
    Given(PathBuf),
    /// In one that is removed when the last request is done with it.
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
