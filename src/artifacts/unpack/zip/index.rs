//! The central directory, in a form that is small even for 100 000 entries.

use std::ops::Range;

use rawzip::{
    CompressionMethod, Error, ErrorKind, ZipArchive, ZipArchiveEntryWayfinder, ZipFileHeaderRecord, ZipLocator,
};

use super::super::super::error::{Problem, shown};
use super::super::super::jail::Jail;
use super::super::super::lane::{Object, RANGE_BYTES, RANGES_AHEAD, Source};
use super::super::super::name_list::NameList;
use super::content::is_supported;
use super::window::Window;
use super::{host, names, order, refused};

/// The limit for all names together. 100 000 names, CodePipeline's limit, may have 335 bytes each on average.
const MAX_NAME_BYTES: usize = 32 * 1024 * 1024;
/// The smallest size of a local header (APPNOTE 4.3.7).
const MIN_LOCAL_HEADER_BYTES: u64 = 30;

/// An archive's entries, sorted by offset.
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Where the central directory begins.
    pub(super) directory: u64,
    /// The paths, one after another.
    paths: Vec<u8>,
    /// The names that contained `..`.
    dot_dot: NameList,
}

pub(super) struct Entry {
    path: Range<u32>,
    /// Where the local header begins.
    pub(super) offset: u64,
    pub(super) wayfinder: ZipArchiveEntryWayfinder,
    pub(super) method: CompressionMethod,
    pub(super) checksum: u32,
    pub(super) entry_type: EntryType,
    pub(super) mode: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryType {
    File,
    Folder,
    Link,
}

/// Reads and checks the central directory. Drops the entries that other entries replace.
pub(super) fn read<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(ZipArchive<Window<O>>, Index), Problem> {
    let size = source.object.size();
    // Reads a range at a time: a directory of 10 MiB takes ten requests, most of them ahead of time.
    let mut buffer = vec![0; usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX)];
    let lane = Window::new(source.lane(size, RANGES_AHEAD));
    let archive =
        ZipLocator::new().locate_in_reader(lane, &mut buffer, size).map_err(|(_, error)| unreadable(error))?;
    let (claimed, directory) = (archive.entries_hint(), archive.directory_offset());
    check_count(claimed, jail)?;
    let mut index = Index { entries: Vec::new(), directory, paths: Vec::new(), dot_dot: NameList::default() };
    let mut records = archive.entries(&mut buffer);
    let mut found = 0;
    while let Some(record) = records.next_entry().map_err(unreadable)? {
        found += 1;
        check_count(found, jail)?;
        index.add(&record, jail)?;
    }
    // Without Zip64, the count has 16 bits. Like unzip, compares only these.
    if found != claimed && (claimed > 0xffff || found & 0xffff != claimed) {
        let text =
            format!("the zip archive is damaged: it claims {claimed} entries, but its central directory lists {found}");
        return Err(Problem::Archive(text));
    }
    index.keep_effective(jail)?;
    if let Some(entries) = index.dot_dot.text() {
        tracing::warn!(entries, "removed .. from the names of entries, as unzip does");
    }
    Ok((archive, index))
}

/// Limits the entries of all classes, including ignored entries.
fn check_count(count: u64, jail: &Jail<'_>) -> Result<(), Problem> {
    let max = jail.max_headers();
    if count <= max {
        return Ok(());
    }
    let text = format!("the zip archive has more than {max} entries, three times the limit; raise MAX_ENTRIES, or");
    Err(Problem::Archive(format!("{text} make the artifact smaller")))
}

impl Index {
    pub(super) fn path(&self, entry: &Entry) -> &[u8] {
        path(&self.paths, entry)
    }

    /// Where the entry with this number must end: at the next entry or at the central directory.
    pub(super) fn limit(&self, at: usize) -> u64 {
        self.entries.get(at + 1).map_or(self.directory, |next| next.offset)
    }

    fn add(&mut self, record: &ZipFileHeaderRecord<'_>, jail: &Jail<'_>) -> Result<(), Problem> {
        let name = names::of(record)?;
        if name.has_dot_dot {
            self.dot_dot.add(|| format!("`{}`", shown(record.file_path().as_bytes())));
        }
        if host::is_label(record) {
            return jail.skip(&name.path, "disk label");
        }
        let (entry_type, mode) = host::type_and_mode(record, name.is_folder);
        if name.path.is_empty() && entry_type != EntryType::Folder {
            return Err(refused(b"", "has no name"));
        }
        check(record, &name.path)?;
        let start = self.paths.len();
        if start + name.path.len() > MAX_NAME_BYTES {
            return Err(Problem::Archive(
                "the names in the zip archive have more than 32 MiB together; use fewer or shorter names".to_owned(),
            ));
        }
        self.paths.extend_from_slice(&name.path);
        // Both fit: they are at most MAX_NAME_BYTES.
        let path = start as u32..self.paths.len() as u32;
        let (offset, wayfinder, method) =
            (record.local_header_offset(), record.wayfinder(), record.compression_method());
        self.entries.push(Entry { path, offset, wayfinder, method, checksum: record.crc32(), entry_type, mode });
        Ok(())
    }

    /// Sorts the entries by offset, and drops those that other entries replace.
    fn keep_effective(&mut self, jail: &Jail<'_>) -> Result<(), Problem> {
        let effective = order::effective(&self.entries, |entry| path(&self.paths, entry))?;
        let mut entries: Vec<_> = std::mem::take(&mut self.entries).into_iter().zip(effective).collect();
        entries.sort_by_key(|(entry, _)| entry.offset);
        self.check_overlaps(&entries)?;
        for (entry, is_effective) in entries {
            if is_effective {
                self.entries.push(entry);
            } else {
                jail.count_ignored()?;
            }
        }
        Ok(())
    }

    /// Refuses entries that share bytes. Only an archive bomb has them: a small archive that unpacks to terabytes.
    fn check_overlaps(&self, entries: &[(Entry, bool)]) -> Result<(), Problem> {
        let nexts = entries.iter().skip(1).map(|(next, _)| next.offset).chain([self.directory]);
        for ((entry, _), next) in entries.iter().zip(nexts) {
            let least = MIN_LOCAL_HEADER_BYTES.saturating_add(entry.wayfinder.compressed_size_hint());
            if entry.offset.saturating_add(least) > next {
                return Err(refused(self.path(entry), "overlaps with the next entry or the central directory"));
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
        return Err(refused(path, "is encrypted; create the archive without a password"));
    }
    if !is_supported(method) {
        let name = method.name().unwrap_or("unknown");
        let text = format!(
            "is compressed with method {} ({name}), which the worker does not support; create the archive with Deflate",
            method.as_u16()
        );
        return Err(refused(path, &text));
    }
    Ok(())
}

fn unreadable(error: Error) -> Problem {
    let text = |what: &str| Problem::Archive(format!("the zip archive {what}"));
    match error.into_kind() {
        ErrorKind::IO(error) => Problem::inside(&error, |_| text("ends too early: it is truncated or damaged")),
        ErrorKind::MissingEndOfCentralDirectory => text("has no central directory: it is truncated or damaged"),
        kind => text(&format!("has a damaged central directory: {kind}")),
    }
}
