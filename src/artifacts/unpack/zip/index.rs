//! The central directory: what is in the archive and where, in a form that stays small for 100 000 entries.

use std::ops::Range;

use rawzip::{
    CompressionMethod, CreatorSystem, Error, ErrorKind, ZipArchive, ZipArchiveEntryWayfinder, ZipFileHeaderRecord,
    ZipLocator,
};

use super::super::super::error::Problem;
use super::super::super::lane::{Lane, Object, RANGE_BYTES, RANGES_AHEAD, Source};
use super::super::super::limits::Counted;
use super::super::super::names::{MadeOn, entry_path, names_a_folder};
use super::refused;

/// All names together; 100 000 names of CodePipeline's most entries may have 335 bytes on average.
const MOST_NAME_BYTES: usize = 32 * 1024 * 1024;
/// The least size of a local header (APPNOTE 4.3.7).
const LOCAL_HEADER_BYTES: u64 = 30;

/// An archive's entries in the order in which they lie in it.
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Where the central directory begins.
    pub(super) directory: u64,
    /// The paths, one after another.
    paths: Vec<u8>,
}

pub(super) struct Entry {
    path: Range<u32>,
    /// Where the local header begins.
    pub(super) offset: u64,
    pub(super) wayfinder: ZipArchiveEntryWayfinder,
    pub(super) method: CompressionMethod,
    pub(super) made_on: MadeOn,
    pub(super) kind: Kind,
    pub(super) mode: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
}

impl Index {
    pub(super) fn path(&self, entry: &Entry) -> &[u8] {
        &self.paths[entry.path.start as usize..entry.path.end as usize]
    }

    /// Where the entry with this number must have ended: where the next one begins, or the central directory.
    pub(super) fn limit(&self, at: usize) -> u64 {
        self.entries.get(at + 1).map_or(self.directory, |next| next.offset)
    }
}

/// Reads the central directory and checks all that can be told from it alone.
pub(super) fn read<O: Object>(source: &Source<O>, max_headers: u64) -> Result<(ZipArchive<Lane<O>>, Index), Problem> {
    let size = source.object.size();
    // As much at once as a range has: a directory of 10 MiB takes ten requests then, most of them asked for ahead.
    let mut buffer = vec![0; usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX)];
    let lane = source.lane(size, RANGES_AHEAD);
    let archive = ZipLocator::new().locate_in_reader(lane, &mut buffer, size).map_err(|(_, error)| broken(error))?;
    if archive.entries_hint() > max_headers {
        return Err(Problem::TooMany(Counted::Leftovers, max_headers));
    }
    let mut index = Index { entries: Vec::new(), directory: archive.directory_offset(), paths: Vec::new() };
    let mut records = archive.entries(&mut buffer);
    while let Some(record) = records.next_entry().map_err(broken)? {
        if index.entries.len() as u64 >= max_headers {
            return Err(Problem::TooMany(Counted::Leftovers, max_headers));
        }
        index.add(&record)?;
    }
    if index.entries.len() as u64 != archive.entries_hint() {
        let (claimed, found) = (archive.entries_hint(), index.entries.len());
        let text =
            format!("the zip archive is damaged: it claims {claimed} entries, but its central directory lists {found}");
        return Err(Problem::Archive(text));
    }
    index.entries.sort_by_key(|entry| entry.offset);
    index.check_overlaps()?;
    Ok((archive, index))
}

impl Index {
    fn add(&mut self, record: &ZipFileHeaderRecord<'_>) -> Result<(), Problem> {
        let (made_on, kind, mode) = origin(record);
        let path = entry_path(record.file_path().as_ref(), made_on)?;
        let Some(kind) = kind else {
            return Err(refused(&path, "is a device or a socket; only files, folders and links are unpacked"));
        };
        if path.is_empty() && kind != Kind::Folder {
            return Err(refused(b"", "has no name"));
        }
        if kind != Kind::Folder && names_a_folder(record.file_path().as_ref()) {
            return Err(refused(&path, "is no folder, but has the name of one"));
        }
        check(record, kind, &path)?;
        let start = self.paths.len();
        if start + path.len() > MOST_NAME_BYTES {
            return Err(Problem::Archive("the names in the zip archive have more than 32 MiB together".to_owned()));
        }
        self.paths.extend_from_slice(&path);
        // Both fit: they are at most MOST_NAME_BYTES.
        let path = start as u32..self.paths.len() as u32;
        let (offset, wayfinder, method) =
            (record.local_header_offset(), record.wayfinder(), record.compression_method());
        self.entries.push(Entry { path, offset, wayfinder, method, made_on, kind, mode });
        Ok(())
    }

    /// Entries that share bytes are how a small archive holds terabytes, and never arise otherwise.
    fn check_overlaps(&self) -> Result<(), Problem> {
        for (at, entry) in self.entries.iter().enumerate() {
            let least = LOCAL_HEADER_BYTES.saturating_add(entry.wayfinder.compressed_size_hint());
            if entry.offset.saturating_add(least) > self.limit(at) {
                return Err(refused(self.path(entry), "overlaps with what follows it in the archive"));
            }
        }
        Ok(())
    }
}

fn check(record: &ZipFileHeaderRecord<'_>, kind: Kind, path: &[u8]) -> Result<(), Problem> {
    let method = record.compression_method();
    let flags = record.flags();
    if flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked() || method == CompressionMethod::AES {
        return Err(refused(path, "is encrypted; artifacts must not be"));
    }
    if method != CompressionMethod::STORE && method != CompressionMethod::DEFLATE {
        let name = method.name().unwrap_or("unknown");
        let text = format!(
            "is compressed with method {} ({name}); only stored and deflated entries are unpacked",
            method.as_u16()
        );
        return Err(refused(path, &text));
    }
    if kind == Kind::Folder && record.uncompressed_size_hint() != 0 {
        return Err(refused(path, "is a folder, but has content"));
    }
    Ok(())
}

/// What an entry's attributes say: the upper half is a Unix mode if a Unix made it (APPNOTE 4.4.2, 4.4.15).
fn origin(record: &ZipFileHeaderRecord<'_>) -> (MadeOn, Option<Kind>, u32) {
    const MSDOS_FOLDER: u32 = 0x10;
    let system = record.version_made_by().creator_system();
    let on_unix = system == CreatorSystem::UNIX || system == CreatorSystem::MACOS;
    let mode = if on_unix { record.external_attributes() >> 16 } else { 0 };
    let is_folder = record.is_dir() || (!on_unix && record.external_attributes() & MSDOS_FOLDER != 0);
    let kind = match mode & 0o170_000 {
        0o120_000 => Some(Kind::Link),
        0o040_000 => Some(Kind::Folder),
        // `... | zip out.zip -` gives its entry the type of the pipe that the content came from (Info-ZIP 3.0), and so does
        // `zip -FI` for a named pipe that it read. unzip makes a file of it, which is what was meant: nothing that packs a
        // pipe as a pipe is known.
        0 | 0o100_000 | 0o010_000 => Some(if is_folder { Kind::Folder } else { Kind::File }),
        _ => None,
    };
    // Some libraries leave the mode out altogether.
    let usual = if kind == Some(Kind::Folder) { 0o755 } else { 0o644 };
    let made_on = if on_unix { MadeOn::Unix } else { MadeOn::Dos };
    (made_on, kind, if mode == 0 { usual } else { mode & 0o777 })
}

fn broken(error: Error) -> Problem {
    let text = |what: &str| Problem::Archive(format!("the zip archive {what}"));
    match error.into_kind() {
        ErrorKind::IO(error) => Problem::inside(&error, |_| text("ends too early: it is truncated or damaged")),
        ErrorKind::MissingEndOfCentralDirectory => text("has no central directory: it is truncated or damaged"),
        kind => text(&format!("has a damaged central directory: {kind}")),
    }
}
