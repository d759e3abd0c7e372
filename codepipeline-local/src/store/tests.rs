use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::engine::{Kind, Record};

fn record(kind: Kind, key: &str, value: Option<&str>) -> Record {
    Record { kind, key: key.to_owned(), value: value.map(str::to_owned) }
}

fn open(folder: &Path) -> (Database, Vec<(Kind, String, Option<String>)>) {
    let (database, records) = Database::open(folder).unwrap();
    (database, records.into_iter().map(|record| (record.kind, record.key, record.value)).collect())
}

fn refused(folder: &Path) -> StoreError {
    Database::open(folder).err().expect("it can't be used")
}

#[test]
fn records_return_and_deleted_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let (database, records) = open(folder.path());
    assert!(records.is_empty());
    let long = "ü\u{0}\n".repeat(100_000);
    for kind in Kind::ALL {
        database.write(&[record(kind, "1", Some("old")), record(kind, "2", Some(&long))]).unwrap();
        database.write(&[record(kind, "1", Some("new")), record(kind, "3", Some("gone"))]).unwrap();
        database.write(&[record(kind, "3", None), record(kind, "4", None)]).unwrap();
    }
    drop(database);
    let (_database, records) = open(folder.path());
    let expected = Kind::ALL
        .into_iter()
        .flat_map(|kind| [(kind, "1".to_owned(), Some("new".to_owned())), (kind, "2".to_owned(), Some(long.clone()))]);
    assert_eq!(records, expected.collect::<Vec<_>>());
}

#[test]
fn only_the_owner_may_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = open(folder.path());
    assert_eq!(database.file().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn one_process_at_a_time_uses_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = open(folder.path());
    let error = refused(folder.path()).to_string();
    assert!(error.contains("codepipeline.redb") && error.contains("another emulator"), "{error}");
    drop(database);
    open(folder.path());
}

#[test]
fn incomplete_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("codepipeline.redb.new"), b"half").unwrap();
    let (_, records) = open(folder.path());
    assert!(records.is_empty() && !folder.path().join("codepipeline.redb.new").exists());
}

#[test]
fn file_of_another_version_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("codepipeline.redb");
    let about: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("codepipeline-local");
    let redb = redb::Database::create(&file).unwrap();
    drop(redb);
    let error = refused(folder.path()).to_string();
    assert!(error.contains("codepipeline.redb") && error.contains("no schema"), "{error}");
    let redb = redb::Database::create(&file).unwrap();
    let transaction = redb.begin_write().unwrap();
    transaction.open_table(about).unwrap().insert("schema", 7).unwrap();
    transaction.commit().unwrap();
    drop(redb);
    let error = refused(folder.path()).to_string();
    assert!(
        error.contains("another version") && error.contains("schema 7") && error.contains("move the file"),
        "{error}"
    );
}

#[test]
fn damaged_file_is_an_error_and_never_an_empty_state() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = open(folder.path());
    for number in 0..100 {
        let value = format!("{number}").repeat(500);
        database.write(&[record(Kind::Action, &number.to_string(), Some(&value))]).unwrap();
    }
    drop(database);
    let file = folder.path().join("codepipeline.redb");
    let whole = std::fs::read(&file).unwrap();
    let (database, records) = open(folder.path());
    drop(database);
    let damaged = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Database::open(folder.path()).map(|(_, records)| records.len()).map_err(|error| error.to_string())
    };
    for bytes in [&b""[..], b"text", &whole[..100], &whole[..whole.len() / 2], &whole[..whole.len() - 4096]] {
        let error = damaged(bytes).unwrap_err();
        assert!(error.contains("codepipeline.redb") && error.contains("move"), "{error}");
    }
    let mut found = 0;
    for place in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x5a;
        match damaged(&bytes) {
            // This place is not in use.
            Ok(number) => assert_eq!(number, records.len(), "at {place}"),
            Err(error) => {
                assert!(error.contains("codepipeline.redb") && error.contains("move"), "{error}");
                found += 1;
            }
        }
    }
    assert!(found > 10, "{found}");
}

#[tokio::test]
async fn ticket_completes_after_all_earlier_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (database, _) = open(folder.path());
    let mut keeper = Keeper::start(database).unwrap();
    keeper.progress().until(keeper.keep(Vec::new())).await.unwrap();
    let mut waiting = Vec::new();
    for number in 0..500 {
        let records = ["a", "b"].map(|key| record(Kind::Pipeline, key, Some(&number.to_string())));
        let ticket = keeper.keep(records.into());
        waiting.push(tokio::spawn(keeper.progress().until(ticket)));
    }
    for waits in waiting {
        waits.await.unwrap().unwrap();
    }
    keeper.keep(vec![record(Kind::Pipeline, "b", None)]);
    // The keeper also writes the last change before it closes the file.
    drop(keeper);
    let (_database, records) = open(folder.path());
    assert_eq!(records, [(Kind::Pipeline, "a".to_owned(), Some("499".to_owned()))]);
}

/// A disk that becomes full.
#[derive(Debug)]
struct Disk {
    disk: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.disk.write(offset, data)
    }
}

#[tokio::test]
async fn failed_write_fails_all_waits() {
    let full = Arc::new(AtomicBool::new(false));
    let disk = Disk { disk: InMemoryBackend::new(), full: full.clone() };
    let redb = redb::Builder::new().create_with_backend(disk).unwrap();
    let mut keeper = Keeper::start(Database::of("place/codepipeline.redb".into(), redb)).unwrap();
    let kept = keeper.keep(vec![record(Kind::Pipeline, "a", Some("1"))]);
    keeper.progress().until(kept).await.unwrap();
    full.store(true, Ordering::Relaxed);
    let lost = keeper.keep(vec![record(Kind::Pipeline, "a", Some("2"))]);
    let error = keeper.progress().until(lost).await.unwrap_err().to_string();
    assert!(error.contains("place/codepipeline.redb") && error.contains("start the emulator again"), "{error}");
    // Earlier changes are on disk.
    keeper.progress().until(kept).await.unwrap();
    let later = keeper.keep(vec![record(Kind::Pipeline, "b", Some("1"))]);
    keeper.progress().until(later).await.unwrap_err();
}
