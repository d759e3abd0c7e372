//! Records of versions, each in the folder of its bytes.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::details::Details;
use super::version_id::VersionId;
use crate::types::Timestamp;

/// The file of a committed version. Its name contains the version's commit number, and its id if it has one.
const RECORD: &str = "record-";
const ENDING: &str = ".json";
/// The file before the commit.
const PENDING: &str = "pending.json";

/// The requested encryption of an object. The emulator encrypts nothing; it stores the headers, so that tests can see
/// them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::s3) struct Encryption {
    pub(in crate::s3) algorithm: String,
    pub(in crate::s3) key_id: Option<String>,
}

/// The facts about a version, apart from its bytes.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::s3) struct Record {
    pub(in crate::s3) bucket: String,
    pub(in crate::s3) key: String,
    pub(in crate::s3) e_tag: String,
    pub(in crate::s3) size: u64,
    modified_ms: u64,
    pub(in crate::s3) encryption: Encryption,
    /// Whether this is a delete marker.
    #[serde(default)]
    pub(in crate::s3) delete_marker: bool,
    #[serde(default)]
    pub(in crate::s3) details: Details,
    #[serde(default)]
    pub(in crate::s3) labels: Labels,
}

/// Facts about a version that can change without a new version.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::s3) struct Labels {
    /// Its tags.
    pub(in crate::s3) tags: Vec<(String, String)>,
    /// Its ACL as XML; `None` for the private ACL.
    pub(in crate::s3) acl: Option<String>,
}

impl Record {
    pub(in crate::s3) fn new(
        place: (&str, &str),
        e_tag: String,
        size: u64,
        modified: Timestamp,
        encryption: Encryption,
    ) -> Self {
        let (bucket, key) = (place.0.to_owned(), place.1.to_owned());
        let (delete_marker, details, labels) = (false, Details::default(), Labels::default());
        Self { bucket, key, e_tag, size, modified_ms: modified.0, encryption, delete_marker, details, labels }
    }

    pub(in crate::s3) fn with(self, details: Details) -> Self {
        Self { details, ..self }
    }

    pub(super) fn delete_marker(place: (&str, &str), made: Timestamp) -> Self {
        Self { delete_marker: true, ..Self::new(place, String::new(), 0, made, Encryption::default()) }
    }

    pub(in crate::s3) fn modified(&self) -> Timestamp {
        Timestamp(self.modified_ms)
    }

    /// Writes the record into an uncommitted folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(folder.join(PENDING), serde_json::to_vec(self)?)
    }
}

/// The commit number and id of a version. Both are in the name of its record.
#[derive(Clone)]
pub(in crate::s3) struct Commit {
    /// The commit number.
    pub(in crate::s3) place: u64,
    pub(in crate::s3) version: VersionId,
}

impl Commit {
    fn file_name(&self) -> String {
        match &self.version {
            VersionId::Null => format!("{RECORD}{}{ENDING}", self.place),
            VersionId::Given(id) => format!("{RECORD}{}-{id}{ENDING}", self.place),
        }
    }

    fn of_file(name: &str) -> Option<Self> {
        let name = name.strip_prefix(RECORD)?.strip_suffix(ENDING)?;
        let (place, version) = match name.split_once('-') {
            Some((place, id)) => (place, VersionId::Given(id.to_owned())),
            None => (name, VersionId::Null),
        };
        Some(Self { place: place.parse().ok()?, version })
    }

    /// Commits a folder with a written record. The next start finds the version.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::rename(folder.join(PENDING), folder.join(self.file_name()))
    }

    /// Reverts the commit. The next start does not find the version.
    pub(super) fn remove(&self, folder: &Path) -> io::Result<()> {
        std::fs::remove_file(folder.join(self.file_name()))
    }
}

/// The record of a committed folder.
pub(super) fn committed(folder: &Path) -> io::Result<Option<(Commit, Record)>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(commit) = Commit::of_file(&entry.file_name().to_string_lossy()) {
            let record = serde_json::from_slice(&std::fs::read(entry.path())?)?;
            return Ok(Some((commit, record)));
        }
    }
    Ok(None)
}
