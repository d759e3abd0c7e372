//! The database file: one table for each kind of record, and one that records the schema.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::engine::{Kind, Record, Unreadable};

/// The file's name in the data folder.
const FILE: &str = "codepipeline.redb";
/// The file's name until it is complete.
const UNFINISHED: &str = "codepipeline.redb.new";
/// The table that records the schema.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("codepipeline-local");
const SCHEMA: &str = "schema";
/// The version of the tables and records. A change that older files don't have needs another number.
const CURRENT_SCHEMA: u64 = 1;
/// The size of redb's cache. The default of 1 GB is for larger databases; here each record is read once.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The database is not usable. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("another emulator uses {}: stop it, or choose another folder", .0.display())]
    InUse(PathBuf),
    #[error(
        "{} was written by another version of codepipeline-local ({wrote}, this version has schema {CURRENT_SCHEMA}): use that version, or move the file away to begin without pipelines; objects stay",
        file.display()
    )]
    OtherVersion { file: PathBuf, wrote: String },
    #[error("{} is damaged ({why}): restore a copy, or move it away to begin without pipelines; objects stay", file.display())]
    Broken { file: PathBuf, why: String },
    #[error("could not use {}: {error}", file.display())]
    Io { file: PathBuf, error: io::Error },
}

impl StoreError {
    /// The error for a file whose records contradict each other.
    pub(crate) fn broken(file: &Path, why: &Unreadable) -> Self {
        Self::Broken { file: file.into(), why: why.to_string() }
    }
}

/// An open database, which no other process can open.
pub(crate) struct Database {
    file: PathBuf,
    redb: redb::Database,
}

impl Database {
    /// Opens the folder's database and reads everything in it. Creates an empty one if the file is missing.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Vec<Record>), StoreError> {
        let file = folder.join(FILE);
        let exists = file.try_exists().map_err(|error| StoreError::Io { file: file.clone(), error })?;
        if !exists {
            create(folder).map_err(|error| StoreError::Io { file: folder.join(UNFINISHED), error })?;
        }
        // redb checks every page, but may panic if a page is damaged.
        let opened = catch_unwind(AssertUnwindSafe(|| read_all(&file)));
        let why = "its pages contradict each other".to_owned();
        let (redb, records) = opened.unwrap_or(Err(StoreError::Broken { file: file.clone(), why }))?;
        Ok((Self { file, redb }, records))
    }

    #[cfg(test)]
    pub(super) fn of(file: PathBuf, redb: redb::Database) -> Self {
        Self { file, redb }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes all records in one transaction. They are on disk when it returns.
    pub(super) fn write<'a>(&self, records: impl IntoIterator<Item = &'a Record>) -> Result<(), redb::Error> {
        // A transaction is durable by default: the commit returns when it is on disk.
        let transaction = self.redb.begin_write()?;
        for record in records {
            let mut table = transaction.open_table(table(record.kind))?;
            match &record.value {
                Some(value) => table.insert(record.key.as_str(), value.as_str())?,
                None => table.remove(record.key.as_str())?,
            };
        }
        transaction.commit()?;
        Ok(())
    }
}

fn table(kind: Kind) -> TableDefinition<'static, &'static str, &'static str> {
    TableDefinition::new(kind.name())
}

/// Creates a database. It gets its name when it is complete, so a file with this name is never incomplete.
fn create(folder: &Path) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The file holds secrets of pipelines and connections.
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&unfinished)?;
    fill(file).map_err(|error| match error {
        redb::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    })?;
    std::fs::rename(&unfinished, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}

fn fill(file: File) -> Result<(), redb::Error> {
    let redb = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(FileBackend::new(file)?)?;
    let transaction = redb.begin_write()?;
    transaction.open_table(ABOUT)?.insert(SCHEMA, CURRENT_SCHEMA)?;
    for kind in Kind::ALL {
        transaction.open_table(table(kind))?;
    }
    transaction.commit()?;
    redb.close()?;
    Ok(())
}

fn read_all(file: &Path) -> Result<(redb::Database, Vec<Record>), StoreError> {
    let explain = |error: redb::Error| explain(file, error);
    let opened = Builder::new().set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).open(file);
    let redb = opened.map_err(|error| match error {
        DatabaseError::UpgradeRequired(format) => {
            StoreError::OtherVersion { file: file.into(), wrote: format!("its file format is {format}") }
        }
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(file.into()),
        other => explain(other.into()),
    })?;
    let transaction = redb.begin_read().map_err(|error| explain(error.into()))?;
    let schema = match transaction.open_table(ABOUT) {
        Ok(about) => about.get(SCHEMA).map_err(|error| explain(error.into()))?.map(|schema| schema.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(explain(error.into())),
    };
    if schema != Some(CURRENT_SCHEMA) {
        let wrote = schema.map_or("no schema in it".to_owned(), |schema| format!("schema {schema}"));
        return Err(StoreError::OtherVersion { file: file.into(), wrote });
    }
    let mut records = Vec::new();
    for kind in Kind::ALL {
        let table = transaction.open_table(table(kind)).map_err(|error| explain(error.into()))?;
        for entry in table.iter().map_err(|error| explain(error.into()))? {
            let (key, value) = entry.map_err(|error| explain(error.into()))?;
            records.push(Record { kind, key: key.value().to_owned(), value: Some(value.value().to_owned()) });
        }
    }
    drop(transaction);
    Ok((redb, records))
}

fn explain(file: &Path, error: redb::Error) -> StoreError {
    match error {
        // The file is too short, or does not begin as a database does.
        redb::Error::Io(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            StoreError::Broken { file: file.into(), why: error.to_string() }
        }
        redb::Error::Io(error) => StoreError::Io { file: file.into(), error },
        other => StoreError::Broken { file: file.into(), why: other.to_string() },
    }
}
