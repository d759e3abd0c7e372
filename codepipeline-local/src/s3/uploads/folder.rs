//! An upload on disk. `upload.json` describes the future object. Each part has a file of bytes, and a record that
//! names this file.
//!
//! The record of a part is renamed into place after its bytes are complete, and before the response. So a killed
//! emulator loses no acknowledged part. A replaced part gets a new file, and readers keep the old one open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use s3s::dto::{CreateMultipartUploadInput, Timestamp as Date, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::super::catalog::{Encryption, Labels, internal};
use super::super::checksum::{Algorithm, Kind, Sum};
use super::super::details::Class;
use crate::types::Timestamp;

const PLAN: &str = "upload.json";
/// The prefix of part records; the number follows.
const PART: &str = "part-";
/// The prefix of part data; a unique number follows.
const BYTES: &str = "bytes-";

/// The future object of an upload.
#[derive(Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) begun_ms: u64,
    pub(super) encryption: Encryption,
    pub(super) storage_class: Class,
    /// The checksum type of the upload.
    pub(super) checksum: Option<(Algorithm, Kind)>,
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) labels: Labels,
}

impl Plan {
    pub(super) fn begun(&self) -> Timestamp {
        Timestamp(self.begun_ms)
    }

    /// The checksum type of the object. By default, S3 calculates CRC64NVME over all bytes (S3 User Guide, "Checking
    /// object integrity in Amazon S3").
    pub(super) fn checksum_of_object(&self) -> (Algorithm, Kind) {
        self.checksum.unwrap_or((Algorithm::Crc64Nvme, Kind::FullObject))
    }
}

/// The headers in responses to reads of the object.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub(super) metadata: Option<BTreeMap<String, String>>,
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) cache_control: Option<String>,
    /// In the form of RFC 3339.
    pub(super) expires: Option<String>,
    pub(super) website_redirect_location: Option<String>,
}

impl Attributes {
    pub(super) fn of(input: &mut CreateMultipartUploadInput) -> Self {
        let text = |date: Date| {
            let mut text = Vec::new();
            date.format(TimestampFormat::DateTime, &mut text).ok()?;
            String::from_utf8(text).ok()
        };
        Self {
            metadata: input.metadata.take().map(|metadata| metadata.into_iter().collect()),
            content_type: input.content_type.take(),
            content_encoding: input.content_encoding.take(),
            content_disposition: input.content_disposition.take(),
            content_language: input.content_language.take(),
            cache_control: input.cache_control.take(),
            expires: input.expires.take().and_then(text),
            website_redirect_location: input.website_redirect_location.take(),
        }
    }
}

/// A received part.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// The name of the file with its bytes.
    pub(super) bytes: String,
    pub(super) size: u64,
    pub(super) e_tag: String,
    /// The checksum that the client sent, or that the upload's algorithm gives.
    pub(super) sum: Option<Sum>,
    pub(super) modified_ms: u64,
}

/// An upload. Once it has ended, its folder is removed when the last reference is dropped.
pub(super) struct Upload {
    pub(super) plan: Plan,
    folder: PathBuf,
    next_bytes: AtomicU64,
    ended: AtomicBool,
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    by_number: BTreeMap<i32, Part>,
    /// Set while a request completes or aborts the upload. Later parts are refused.
    sealed: bool,
}

impl Upload {
    pub(super) fn create(folder: PathBuf, plan: Plan) -> io::Result<Self> {
        std::fs::create_dir(&folder)?;
        write_whole(&folder, PLAN, &plan)?;
        Ok(Self::with(folder, plan, 0, BTreeMap::new()))
    }

    /// Opens an upload of an earlier run; `None` if it had not begun or had ended.
    pub(super) fn reopen(folder: &Path) -> io::Result<Option<Self>> {
        let plan = match std::fs::read(folder.join(PLAN)) {
            Ok(plan) => serde_json::from_slice(&plan)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut parts = BTreeMap::<i32, Part>::new();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(PART).and_then(|rest| rest.strip_suffix(".json")?.parse().ok());
            match number {
                Some(number) => drop(parts.insert(number, serde_json::from_slice(&std::fs::read(entry.path())?)?)),
                None => files.push((name, entry.path())),
            }
        }
        // Remove files that a killed run did not finish or remove.
        let mut next_bytes = 0;
        for (name, path) in files {
            let number = name.strip_prefix(BYTES).and_then(|number| number.parse::<u64>().ok());
            next_bytes = next_bytes.max(number.map_or(0, |number| number + 1));
            if name != PLAN && !parts.values().any(|part| part.bytes == name) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Some(Self::with(folder.into(), plan, next_bytes, parts)))
    }

    fn with(folder: PathBuf, plan: Plan, next_bytes: u64, parts: BTreeMap<i32, Part>) -> Self {
        let (next_bytes, ended) = (AtomicU64::new(next_bytes), AtomicBool::new(false));
        let parts = Mutex::new(Parts { by_number: parts, sealed: false });
        Self { plan, folder, next_bytes, ended, parts }
    }

    /// A new name for the bytes of a part.
    pub(super) fn new_bytes(&self) -> String {
        format!("{BYTES}{}", self.next_bytes.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn path(&self, bytes: &str) -> PathBuf {
        self.folder.join(bytes)
    }

    /// Stores a part under this number.
    pub(super) fn put(&self, number: i32, part: Part) -> S3Result<()> {
        let mut parts = self.lock();
        if parts.sealed {
            return Err(no_upload());
        }
        write_whole(&self.folder, &format!("{PART}{number}.json"), &part).map_err(internal)?;
        let replaced = parts.by_number.insert(number, part);
        drop(parts);
        if let Some(replaced) = replaced {
            // The next start removes what remains, because no record names it.
            let _ = std::fs::remove_file(self.path(&replaced.bytes));
        }
        Ok(())
    }

    /// The received parts, by number.
    pub(super) fn parts(&self) -> BTreeMap<i32, Part> {
        self.lock().by_number.clone()
    }

    /// Freezes or unfreezes the parts.
    pub(super) fn seal(&self, sealed: bool) {
        self.lock().sealed = sealed;
    }

    /// Ends the upload. A restart does not find it.
    pub(super) fn end(&self) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(PLAN))?;
        self.ended.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.has_ended() {
            // The next start removes what remains, because the folder has no plan.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Writes a record atomically: a reader sees the old or the new one.
fn write_whole(folder: &Path, name: &str, record: &impl Serialize) -> io::Result<()> {
    let pending = folder.join(format!("pending-{name}"));
    std::fs::write(&pending, serde_json::to_vec(record)?)?;
    std::fs::rename(&pending, folder.join(name))
}

/// The error for an unknown upload.
pub(super) fn no_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}
