//! The folder of the catalog after a restart.

use std::path::Path;
use std::sync::Arc;

use super::index::OBJECTS;
use super::*;
use crate::s3::condition::Condition;
use crate::types::Timestamp;

struct Folder(tempfile::TempDir);

impl Folder {
    /// An opened catalog with the bucket `bucket`.
    fn new() -> (Self, Catalog) {
        let folder = Self(tempfile::tempdir().unwrap());
        let catalog = folder.open();
        catalog.create_bucket("bucket").unwrap();
        (folder, catalog)
    }

    fn open(&self) -> Catalog {
        Catalog::open(self.0.path()).unwrap()
    }

    /// Opens the folder again after a kill, which cleaned nothing up.
    fn after_kill(&self, killed: Catalog) -> Catalog {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.0.path(), copy.path());
        drop(killed);
        std::fs::remove_dir_all(self.0.path()).unwrap();
        copy_all(copy.path(), self.0.path());
        self.open()
    }

    fn blobs(&self) -> usize {
        std::fs::read_dir(self.0.path().join(OBJECTS)).unwrap().count()
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn put(catalog: &Catalog, key: &str, text: &str) -> Arc<Object> {
    let blob = Arc::new(catalog.new_blob().unwrap());
    std::fs::write(blob.file(), text).unwrap();
    let record = Record::new(("bucket", key), text.into(), text.len() as u64, Timestamp(5), Encryption::default());
    catalog.commit(record, blob, &Condition::default()).unwrap()
}

fn remove(catalog: &Catalog, key: &str, version: Option<&VersionId>) -> Removed {
    catalog.remove(("bucket", key), version, &Condition::default(), Timestamp(6)).unwrap()
}

/// Every version as `key:text:id`, a delete marker without text, in the order of a listing.
fn listed(catalog: &Catalog) -> Vec<String> {
    let versions = catalog.list_versions("bucket", "").unwrap();
    versions.iter().map(|it| format!("{}:{}:{}", it.record.key, it.record.e_tag, it.commit.version.as_str())).collect()
}

#[test]
fn versions_survive_a_kill_in_order() {
    let (folder, catalog) = Folder::new();
    put(&catalog, "key", "before");
    catalog.set_versioning("bucket", Versioning::Enabled).unwrap();
    put(&catalog, "key", "first");
    let second = put(&catalog, "key", "second");
    remove(&catalog, "key", None);
    put(&catalog, "other", "only");
    remove(&catalog, "key", Some(&second.commit.version));
    drop(second);
    let expected = listed(&catalog);
    assert_eq!(expected.len(), 4);
    let catalog = folder.after_kill(catalog);
    assert_eq!(listed(&catalog), expected);
    assert_eq!(catalog.versioning("bucket").unwrap(), Some(Versioning::Enabled));
    assert!(catalog.get("bucket", "key").is_err(), "the latest version is a marker");
    let oldest = catalog.get_version("bucket", "key", Some("null")).unwrap();
    assert_eq!(std::fs::read(oldest.blob.file()).unwrap(), b"before");
    // Versions that come after the start are newer than those before it.
    let newest = put(&catalog, "key", "third");
    assert_eq!(catalog.get("bucket", "key").unwrap().commit.version, newest.commit.version);
}

#[test]
fn version_deleted_during_a_read_stays_deleted() {
    let (folder, catalog) = Folder::new();
    let unversioned = put(&catalog, "plain", "content");
    remove(&catalog, "plain", None);
    let replaced = put(&catalog, "twice", "old");
    put(&catalog, "twice", "new");
    remove(&catalog, "twice", None);
    assert_eq!(folder.blobs(), 2, "both are still read");
    assert_eq!(std::fs::read(unversioned.blob.file()).unwrap(), b"content");
    let catalog = folder.after_kill(catalog);
    assert_eq!(listed(&catalog), [""; 0]);
    assert_eq!(folder.blobs(), 0);
    drop(replaced);
}

#[test]
fn later_null_version_counts_after_a_kill() {
    let (folder, catalog) = Folder::new();
    let old = put(&catalog, "key", "old");
    let record = old.blob.folder().join("record-1.json");
    let kept = std::fs::read(&record).unwrap();
    put(&catalog, "key", "new");
    // As if the kill came between the commit of the new version and the removal of the old one.
    std::fs::write(&record, kept).unwrap();
    let catalog = folder.after_kill(catalog);
    drop(old);
    assert_eq!(listed(&catalog), ["key:new:null"]);
    assert_eq!(folder.blobs(), 1);
}

#[test]
fn a_folder_from_before_versions_is_read() {
    let (folder, catalog) = Folder::new();
    drop(put(&catalog, "key", "content"));
    drop(catalog);
    std::fs::remove_dir_all(folder.0.path().join("versioning")).unwrap();
    let blob = std::fs::read_dir(folder.0.path().join(OBJECTS)).unwrap().next().unwrap().unwrap().path();
    let record = r#"{"bucket":"bucket","key":"key","e_tag":"content","size":7,"modified_ms":5,
                     "encryption":{"algorithm":"AES256","key_id":null}}"#;
    std::fs::write(blob.join("record-1.json"), record).unwrap();
    let catalog = folder.open();
    assert_eq!(listed(&catalog), ["key:content:null"]);
    assert_eq!(catalog.versioning("bucket").unwrap(), None);
    assert_eq!(catalog.shown_version(&catalog.get("bucket", "key").unwrap()), None);
}

#[test]
fn a_bucket_made_again_has_no_versioning() {
    let (folder, catalog) = Folder::new();
    catalog.set_versioning("bucket", Versioning::Suspended).unwrap();
    // As if the kill came between the removal of the bucket and that of its versioning.
    std::fs::remove_dir(folder.0.path().join("buckets").join("bucket")).unwrap();
    let catalog = folder.after_kill(catalog);
    assert!(catalog.versioning("bucket").is_err());
    catalog.create_bucket("bucket").unwrap();
    assert_eq!(catalog.versioning("bucket").unwrap(), None);
    let catalog = folder.after_kill(catalog);
    assert_eq!(catalog.versioning("bucket").unwrap(), None);
}
