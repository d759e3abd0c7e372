//! Tests of hostile and of ordinary archives.

mod archives;
mod hostile;
mod ordinary;
mod properties;
mod tools;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{ArchiveProblem, Limits, unpack};

/// A folder with the archive and the folder that it is unpacked into.
struct Place {
    root: TempDir,
}

impl Place {
    fn with(archive: &[u8]) -> Self {
        let root = TempDir::new().unwrap();
        std::fs::write(root.path().join("archive"), archive).unwrap();
        std::fs::create_dir(root.path().join("into")).unwrap();
        Self { root }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("into")
    }

    /// Unpacks the archive, and checks that nothing is outside its folder.
    fn unpack(&self, limits: &Limits) -> Result<BTreeMap<String, String>, ArchiveProblem> {
        let done = unpack(&self.root.path().join("archive"), &self.folder(), limits);
        let listed = std::fs::read_dir(self.root.path()).unwrap();
        let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["archive", "into"]);
        done.map(|()| tree(&self.folder()))
    }
}

fn unpacked(archive: &[u8]) -> Result<BTreeMap<String, String>, ArchiveProblem> {
    Place::with(archive).unpack(&Limits::default())
}

/// Everything below a folder: `644 CONTENT`, `-> TARGET`, or `755` of a folder.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, path)) = folders.pop() {
        for entry in std::fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let metadata = std::fs::symlink_metadata(entry.path()).unwrap();
            let mode = format!("{:o}", metadata.permissions().mode() & 0o7777);
            if metadata.is_symlink() {
                let target = std::fs::read_link(entry.path()).unwrap();
                found.insert(name, format!("-> {}", target.display()));
            } else if metadata.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
                found.insert(name, mode);
            } else {
                let content = std::fs::read(entry.path()).unwrap();
                found.insert(name, format!("{mode} {}", String::from_utf8_lossy(&content)));
            }
        }
    }
    found
}

fn expect(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect()
}
