//! The bytes of one object, in a folder of its own that `s3s-fs` manages.
//!
//! `s3s-fs` writes in place, and keeps data, attributes and checksums in several files. With two writers of one key,
//! or a reader during a write, it can mix them. So each upload gets its own store with a single writer, and the
//! catalog decides which store holds the object. Keys need not be valid file names either.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use s3s::dto::{CopyObjectInput, CopySource};
use s3s::{S3, S3Request, S3Result};
use s3s_fs::FileSystem;

/// The bucket's name in a blob's store.
pub(super) const BUCKET: &str = "b";
/// The object's name in a blob's store.
pub(super) const KEY: &str = "o";

/// The bytes and attributes of one upload. Dropping the last reference removes its folder, unless it is kept.
pub(super) struct Blob {
    folder: PathBuf,
    /// The store lives as long as the blob. It numbers the temporary files of concurrent uploads, and removes
    /// existing ones when it is created.
    store: FileSystem,
    kept: AtomicBool,
}

impl Blob {
    /// Creates an empty blob in a new folder.
    pub(super) fn create(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir(&folder)?;
        std::fs::create_dir(folder.join(BUCKET))?;
        Self::open(folder, false)
    }

    /// Opens the blob of an earlier run.
    pub(super) fn reopen(folder: PathBuf) -> io::Result<Self> {
        Self::open(folder, true)
    }

    fn open(folder: PathBuf, kept: bool) -> io::Result<Self> {
        let store = FileSystem::new(&folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(Self { folder, store, kept: AtomicBool::new(kept) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with the object's bytes, as `s3s-fs` places it.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(BUCKET).join(KEY)
    }

    /// Sets whether the folder outlives this value.
    pub(super) fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Relaxed);
    }

    /// The store in the folder.
    pub(super) fn store(&self) -> &FileSystem {
        &self.store
    }

    /// Makes this empty blob a copy of another. Both can share files, because a blob's files are never rewritten.
    pub(super) fn fill_from(&self, other: &Self) -> io::Result<()> {
        share(&other.file(), &self.file())?;
        for entry in std::fs::read_dir(&other.folder)? {
            let entry = entry?;
            // Hidden files belong to the store; the others are the bytes and the catalog's record.
            if entry.file_type()?.is_file() && entry.file_name().to_string_lossy().starts_with(".bucket-") {
                share(&entry.path(), &self.folder.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Replaces the attributes of the object by those in a copy request.
    pub(super) async fn replace_attributes(&self, request: S3Request<CopyObjectInput>) -> S3Result<()> {
        let mut request = request;
        request.input.copy_source = CopySource::Bucket { bucket: BUCKET.into(), key: KEY.into(), version_id: None };
        request.input.bucket = BUCKET.into();
        request.input.key = KEY.into();
        request.input.copy_source_if_match = None;
        request.input.copy_source_if_none_match = None;
        request.input.copy_source_if_modified_since = None;
        request.input.copy_source_if_unmodified_since = None;
        self.store.copy_object(request).await?;
        Ok(())
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Relaxed) {
            // The next start removes what remains, because no record commits it.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn share(from: &Path, to: &Path) -> io::Result<()> {
    // Some file systems have no hard links.
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop))
}
