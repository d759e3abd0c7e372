//! One object's bytes: a folder of its own, kept by `s3s-fs`.
//!
//! `s3s-fs` writes in place and keeps an object's data, attributes and checksums in several files, so two writers of one
//! key, or a reader beside a writer, can see them mixed. Here every upload gets a store of its own that nobody else
//! writes to; which of them is the object is the catalog's business. This also frees keys from what a file's name may be.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use s3s::dto::{CopyObjectInput, CopySource};
use s3s::{S3, S3Request, S3Result};
use s3s_fs::FileSystem;

/// The bucket's name within a blob's own store.
pub(super) const BUCKET: &str = "b";
/// The object's name within a blob's own store.
pub(super) const KEY: &str = "o";

/// Bytes and attributes of one upload. Its folder is removed when the last user lets go of it, unless it is kept.
pub(super) struct Blob {
    folder: PathBuf,
    /// One for as long as the blob lives: it numbers the temporary files of uploads that arrive side by side, and begins by
    /// removing all that it finds.
    store: FileSystem,
    kept: AtomicBool,
}

impl Blob {
    /// An empty one in a new folder.
    pub(super) fn create(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir(&folder)?;
        std::fs::create_dir(folder.join(BUCKET))?;
        Self::open(folder, false)
    }

    /// One that an earlier run kept.
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

    /// The file that holds the object's bytes, where `s3s-fs` puts it.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(BUCKET).join(KEY)
    }

    /// Whether the folder outlives this value.
    pub(super) fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Relaxed);
    }

    /// The store over the folder.
    pub(super) fn store(&self) -> &FileSystem {
        &self.store
    }

    /// Makes this (empty) blob the same as another. Files of a blob are never written to again, so they can be shared.
    pub(super) fn fill_from(&self, other: &Self) -> io::Result<()> {
        share(&other.file(), &self.file())?;
        for entry in std::fs::read_dir(&other.folder)? {
            let entry = entry?;
            // The hidden files are the store's own; the others are the bytes and the catalog's record.
            if entry.file_type()?.is_file() && entry.file_name().to_string_lossy().starts_with(".bucket-") {
                share(&entry.path(), &self.folder.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Gives the object the attributes that a copy request names instead of those it has.
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
            // What can't be removed is removed at the next start, since no record commits it.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn share(from: &Path, to: &Path) -> io::Result<()> {
    // Some file systems have no hard links.
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop))
}
