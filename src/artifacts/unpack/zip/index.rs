//! The central directory: what is in the archive and where, in a form that stays small for 100 000 entries.

use std::ops::Range;

use rawzip::{
    CompressionMethod, Error, ErrorKind, ZipArchive, ZipArchiveEntryWayfinder, ZipFileHeaderRecord, ZipLocator,
};

use super::super::super::error::{Problem, shown};
use super::super::super::jail::{Jail, List};
use super::super::super::lane::{Lane, Object, RANGE_BYTES, RANGES_AHEAD, Source};
use super::content::is_known;
use super::{host, names, order, refused};

/// All names together; 100 000 names of CodePipeline's most entries may have 335 bytes on average.
const MOST_NAME_BYTES: usize = 32 * 1024 * 1024;
/// The least size of a local header (APPNOTE 4.3.7).
const LOCAL_HEADER_BYTES: u64 = 30;

/// An archive's entries, sorted by their places in it.
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Where the central directory begins.
    pub(super) directory: u64,
    /// The paths, one after another.
    paths: Vec<u8>,
    /// The names that had `..` in them.
    climbing: List,
}

pub(super) struct Entry {
    path: Range<u32>,
    /// Where the local header begins.
    pub(super) offset: u64,
    pub(super) wayfinder: ZipArchiveEntryWayfinder,
    pub(super) method: CompressionMethod,
    pub(super) checksum: u32,
    pub(super) kind: Kind,
    pub(super) mode: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
}

/// Reads the central directory. Finds everything that is wrong with it alone, and leaves out the entries that others replace.
pub(super) fn read<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(ZipArchive<Lane<O>>, Index), Problem> {
    let size = source.object.size();
    // As much at once as a range has: a directory of 10 MiB takes ten requests then, most of them asked for ahead.
    let mut buffer = vec![0; usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX)];
    let lane = source.lane(size, RANGES_AHEAD);
    let archive = ZipLocator::new().locate_in_reader(lane, &mut buffer, size).map_err(|(_, error)| broken(error))?;
    let (claimed, directory) = (archive.entries_hint(), archive.directory_offset());
    check_count(claimed, jail)?;
    let mut index = Index { entries: Vec::new(), directory, paths: Vec::new(), climbing: List::default() };
    let mut records = archive.entries(&mut buffer);
    let mut found = 0;
    while let Some(record) = records.next_entry().map_err(broken)? {
        found += 1;
        check_count(found, jail)?;
        index.add(&record, jail)?;
    }
    // Without Zip64, the count has 16 bits: writers leave the upper ones out, and unzip compares the lower ones.
    if found != claimed && (claimed > 0xffff || found & 0xffff != claimed) {
        let text =
            format!("the zip archive is damaged: it claims {claimed} entries, but its central directory lists {found}");
        return Err(Problem::Archive(text));
    }
    index.settle(jail)?;
    if let Some(entries) = index.climbing.text() {
        tracing::warn!(entries, "left `..` out of the names of entries, as unzip does");
    }
    Ok((archive, index))
}

/// Not even entries that leave nothing may come in any number.
fn check_count(count: u64, jail: &Jail<'_>) -> Result<(), Problem> {
    let most = jail.max_headers();
    if count <= most {
        return Ok(());
    }
    let text = format!("the zip archive has more than {most} entries, three times the limit; raise MAX_ENTRIES, or");
    Err(Problem::Archive(format!("{text} make the artifact smaller")))
}

impl Index {
    pub(super) fn path(&self, entry: &Entry) -> &[u8] {
        path(&self.paths, entry)
    }

    /// Where the entry with this number must have ended: where the next one begins, or the central directory.
    pub(super) fn limit(&self, at: usize) -> u64 {
        self.entries.get(at + 1).map_or(self.directory, |next| next.offset)
    }

    fn add(&mut self, record: &ZipFileHeaderRecord<'_>, jail: &Jail<'_>) -> Result<(), Problem> {
        let name = names::of(record)?;
        if name.climbs {
            self.climbing.add(|| format!("`{}`", shown(record.file_path().as_bytes())));
        }
        if host::is_label(record) {
            return jail.skipped(&name.path, "label of a disk");
        }
        let (kind, mode) = host::kind_and_mode(record, name.is_folder);
        if name.path.is_empty() && kind != Kind::Folder {
            return Err(refused(b"", "has no name"));
        }
        check(record, &name.path)?;
        let start = self.paths.len();
        if start + name.path.len() > MOST_NAME_BYTES {
            return Err(Problem::Archive("the names in the zip archive have more than 32 MiB together".to_owned()));
        }
        self.paths.extend_from_slice(&name.path);
        // Both fit: they are at most MOST_NAME_BYTES.
        let path = start as u32..self.paths.len() as u32;
        let (offset, wayfinder, method) =
            (record.local_header_offset(), record.wayfinder(), record.compression_method());
        self.entries.push(Entry { path, offset, wayfinder, method, checksum: record.crc32(), kind, mode });
        Ok(())
    }

    /// Puts the entries into the order of their places, without those that others replace.
    fn settle(&mut self, jail: &Jail<'_>) -> Result<(), Problem> {
        let counts = order::that_count(&self.entries, |entry| path(&self.paths, entry))?;
        let mut entries: Vec<_> = std::mem::take(&mut self.entries).into_iter().zip(counts).collect();
        entries.sort_by_key(|(entry, _)| entry.offset);
        self.check_overlaps(&entries)?;
        for (entry, counts) in entries {
            if counts {
                self.entries.push(entry);
            } else {
                jail.header()?;
            }
        }
        Ok(())
    }

    /// Entries that share bytes are how a small archive holds terabytes, and never arise otherwise.
    fn check_overlaps(&self, entries: &[(Entry, bool)]) -> Result<(), Problem> {
        let nexts = entries.iter().skip(1).map(|(next, _)| next.offset).chain([self.directory]);
        for ((entry, _), next) in entries.iter().zip(nexts) {
            let least = LOCAL_HEADER_BYTES.saturating_add(entry.wayfinder.compressed_size_hint());
            if entry.offset.saturating_add(least) > next {
                return Err(refused(self.path(entry), "overlaps with what follows it in the archive"));
            }
        }
        Ok(())
    }
}

fn path<'p>(paths: &'p [u8], entry: &Entry) -> &'p [u8] {
    &paths[entry.path.start as usize..entry.path.end as usize]
}

fn check(record: &ZipFileHeaderRecord<'_>, path: &[u8]) -> Result<(), Problem> {
    let method = record.compression_method();
    let flags = record.flags();
    if flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked() || method == CompressionMethod::AES {
        return Err(refused(path, "is encrypted; make the archive without a password"));
    }
    if !is_known(method) {
        let name = method.name().unwrap_or("unknown");
        let text = format!(
            "is compressed with method {} ({name}), which the worker does not unpack; make the archive with Deflate",
            method.as_u16()
        );
        return Err(refused(path, &text));
    }
    Ok(())
}

fn broken(error: Error) -> Problem {
    let text = |what: &str| Problem::Archive(format!("the zip archive {what}"));
    match error.into_kind() {
        ErrorKind::IO(error) => Problem::inside(&error, |_| text("ends too early: it is truncated or damaged")),
        ErrorKind::MissingEndOfCentralDirectory => text("has no central directory: it is truncated or damaged"),
        kind => text(&format!("has a damaged central directory: {kind}")),
    }
}
