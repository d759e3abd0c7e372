//! Unpacks zip archives. Reads them through their central directory, directly from the object's ranges.
//!
//! The entries are sorted by offset and divided into contiguous parts of about the same size. Each part has its own thread, which
//! reads forward through its own lane.

use std::ops::Range;

use rawzip::{Error, ErrorKind, ZipArchive};

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, FolderCache, Jail};
use super::super::lane::{Lane, Object, RANGES_AHEAD, Source};
use content::{Content, unreadable_content};
use index::{EntryType, Index};

mod content;
mod host;
mod index;
mod local;
mod names;
mod order;

/// The limit for threads. There are fewer on fewer processors and for small archives.
const MAX_LANES: usize = 4;
/// A thread is not worthwhile for fewer bytes.
const MIN_LANE_BYTES: u64 = 4 * 1024 * 1024;
/// The limit for the name and extra fields of a local header.
const MAX_LOCAL_FIELDS: usize = 2 * 65_535;

/// Unpacks all entries into the jail. The caller finishes the jail.
pub(super) fn unpack<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(), Problem> {
    let (archive, index) = index::read(source, jail)?;
    let parts = divide(&index);
    let ahead = RANGES_AHEAD / parts.len().max(1);
    let index = &index;
    let span = &tracing::Span::current();
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |part: Range<usize>| {
            // The clone has the same directory and its own lane.
            let mut archive = archive.clone();
            *archive.get_mut() = source.lane(index.limit(part.end - 1), ahead);
            let work = move || unpack_part(&archive, index, part, jail).inspect_err(|_| source.stop.stop());
            scope.spawn(move || span.in_scope(work))
        };
        let threads: Vec<_> = parts.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Problem::Interrupted))).collect()
    });
    // The first failure interrupts the other threads. Their failures do not matter.
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let cause = failures.iter().find(|problem| **problem != Problem::Interrupted);
    cause.or(failures.first()).map_or(Ok(()), |problem| Err(problem.clone()))
}

/// Divides the entries into ranges with about the same number of compressed bytes.
fn divide(index: &Index) -> Vec<Range<usize>> {
    let count = index.entries.len();
    let Some(first) = index.entries.first() else { return Vec::new() };
    let bytes = index.directory - first.offset;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let lanes = (bytes / MIN_LANE_BYTES).clamp(1, MAX_LANES.min(processors.max(2)) as u64);
    let mut parts = Vec::new();
    let mut begin = 0;
    for lane in 1..=lanes {
        let until = first.offset + bytes / lanes * lane;
        let end = if lane == lanes { count } else { index.entries.partition_point(|entry| entry.offset < until) };
        if end > begin {
            parts.push(begin..end);
            begin = end;
        }
    }
    parts
}

fn unpack_part<O: Object>(
    archive: &ZipArchive<Lane<O>>,
    index: &Index,
    part: Range<usize>,
    jail: &Jail<'_>,
) -> Result<(), Problem> {
    let mut cache = FolderCache::default();
    let mut local_fields = vec![0; MAX_LOCAL_FIELDS];
    for at in part {
        let entry = &index.entries[at];
        let path = index.path(entry);
        let unreadable = |error: Error| unreadable(path, error);
        let body = archive.get_entry(entry.wayfinder).map_err(unreadable)?;
        if body.compressed_data_range().1 > index.limit(at) {
            return Err(refused(path, "overlaps with the next entry or the central directory"));
        }
        let modified = Some(local::modified(&body, entry, path, &mut local_fields)?);
        let attributes = Attributes { mode: entry.mode, modified };
        let content = || Content::of(entry, body.reader());
        match entry.entry_type {
            EntryType::Folder => jail.folder(path, attributes, &mut cache)?,
            // Like unzip, sets no modification time on links.
            EntryType::Link => jail.link(path, content().into_target(path)?, None, &mut cache)?,
            EntryType::File => {
                let unreadable = |error: &std::io::Error| unreadable_content(path, error);
                jail.file(path, attributes, &mut cache, &mut content(), unreadable)?;
            }
        }
    }
    Ok(())
}

fn refused(path: &[u8], what: &str) -> Problem {
    Problem::Archive(format!("the zip archive's entry `{}` {what}", shown(path)))
}

/// The problem behind an error of the zip library.
fn unreadable(path: &[u8], error: Error) -> Problem {
    match error.into_kind() {
        ErrorKind::IO(error) => {
            Problem::inside(&error, |_| refused(path, "ends too early: the archive is truncated or damaged"))
        }
        ErrorKind::InvalidSignature { .. } => refused(path, "has no local header: the archive is damaged"),
        kind => refused(path, &format!("is damaged: {kind}")),
    }
}
