//! Zip archives, read through their central directory straight from the object's ranges.
//!
//! The entries are sorted by their place in the archive and cut into contiguous parts of about the same size, one thread
//! each, so every thread reads forward through a lane of its own.

use std::io::{self, Read};
use std::ops::Range;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, Error, ErrorKind, ZipArchive, ZipEntry, ZipVerifier};

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, Jail, Nearby};
use super::super::lane::{Lane, Object, RANGES_AHEAD, Source};
use super::super::links::{LONGEST_TARGET, checked_target};
use super::super::names::{entry_path, names_a_folder};
use index::{Entry, Index, Kind};

mod index;

/// The most threads for one archive; fewer where there are fewer processors or less to do.
const MOST_LANES: usize = 4;
/// What makes a thread worth while.
const LEAST_LANE_BYTES: u64 = 4 * 1024 * 1024;
/// A local header's name and extra fields together have at most this many bytes.
const LONGEST_LOCAL_FIELDS: usize = 2 * 65_535;

/// Unpacks all entries into the jail; what the jail leaves for its end is left.
pub(super) fn unpack<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(), Problem> {
    let (archive, index) = index::read(source, jail.max_headers())?;
    let parts = cut(&index);
    let ahead = RANGES_AHEAD / parts.len().max(1);
    let index = &index;
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |part: Range<usize>| {
            // A clone holds the same directory, over a lane of its own.
            let mut archive = archive.clone();
            *archive.get_mut() = source.lane(index.limit(part.end - 1), ahead);
            scope.spawn(move || unpack_part(&archive, index, part, jail).inspect_err(|_| source.stop.stop()))
        };
        let threads: Vec<_> = parts.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Problem::Interrupted))).collect()
    });
    // The first failure interrupts the other threads, whose own failures say nothing then.
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let telling = failures.iter().find(|problem| **problem != Problem::Interrupted);
    telling.or(failures.first()).map_or(Ok(()), |problem| Err(problem.clone()))
}

/// Ranges of entries with about the same number of compressed bytes.
fn cut(index: &Index) -> Vec<Range<usize>> {
    let count = index.entries.len();
    let Some(first) = index.entries.first() else { return Vec::new() };
    let bytes = index.directory - first.offset;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let lanes = (bytes / LEAST_LANE_BYTES).clamp(1, MOST_LANES.min(processors.max(2)) as u64);
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
    let mut nearby = Nearby::default();
    let mut local_fields = vec![0; LONGEST_LOCAL_FIELDS];
    for at in part {
        let entry = &index.entries[at];
        let path = index.path(entry);
        let broken = |error: Error| broken(path, error);
        let body = archive.get_entry(entry.wayfinder).map_err(broken)?;
        if body.compressed_data_range().1 > index.limit(at) {
            return Err(refused(path, "overlaps with what follows it in the archive"));
        }
        agrees_with_local_header(&body, entry, path, &mut local_fields)?;
        let attributes = Attributes { mode: entry.mode, modified: None };
        match entry.kind {
            Kind::Folder => jail.folder(path, attributes, &mut nearby)?,
            Kind::Link => jail.link(path, link_target(&body, entry, path)?, None, &mut nearby)?,
            Kind::File => {
                let mut content = Content::of(&body, entry);
                jail.file(path, attributes, &mut nearby, &mut content, |error| broken_content(path, error))?;
                content.check_end(entry, path)?;
            }
        }
    }
    Ok(())
}

/// Tools that read an archive from its start believe the local headers, others the central directory. An archive that
/// says different things to the two is made to deceive one of them.
fn agrees_with_local_header<O: Object>(
    body: &ZipEntry<'_, Lane<O>>,
    entry: &Entry,
    path: &[u8],
    fields: &mut [u8],
) -> Result<(), Problem> {
    let local = body.local_header(fields).map_err(|error| broken(path, error))?;
    let disagrees = |what: &str| {
        let text = format!("has another {what} in its local header than in the central directory");
        Err(refused(path, &text))
    };
    let name = local.file_path();
    let is_same = entry_path(name.as_ref(), entry.made_on).as_deref() == Ok(path);
    if !is_same || (entry.kind != Kind::Folder && names_a_folder(name.as_ref())) {
        return disagrees("name");
    }
    if local.compression_method() != entry.method {
        return disagrees("compression method");
    }
    if local.flags().is_encrypted() {
        return disagrees("encryption flag");
    }
    // With a data descriptor the sizes stand after the data, and zero or anything else stands here.
    let (packed, unpacked) = (entry.wayfinder.compressed_size_hint(), entry.wayfinder.uncompressed_size_hint());
    let same = local.compressed_size_hint() == packed && local.uncompressed_size_hint() == unpacked;
    if !local.flags().has_data_descriptor() && !same {
        return disagrees("size");
    }
    Ok(())
}

fn link_target<O: Object>(body: &ZipEntry<'_, Lane<O>>, entry: &Entry, path: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut target = Vec::new();
    let mut content = Content::of(body, entry);
    let read = (&mut content).take(LONGEST_TARGET as u64 + 1).read_to_end(&mut target);
    read.map_err(|error| Problem::inside(&error, |error| broken_content(path, error)))?;
    checked_target(path, target)
}

/// The unpacked bytes of an entry, checked against its size and CRC-32 when the last of them was read.
enum Content<R> {
    Stored(ZipVerifier<R>),
    Deflated(ZipVerifier<DeflateDecoder<R>>),
}

impl<'archive, O: Object> Content<rawzip::ZipReader<&'archive Lane<O>>> {
    fn of(body: &ZipEntry<'archive, Lane<O>>, entry: &Entry) -> Self {
        if entry.method == CompressionMethod::DEFLATE {
            Self::Deflated(body.verifying_reader(DeflateDecoder::new(body.reader())))
        } else {
            Self::Stored(body.verifying_reader(body.reader()))
        }
    }

    /// All of the packed bytes must have been needed: otherwise the archive lies about its sizes.
    fn check_end(self, entry: &Entry, path: &[u8]) -> Result<(), Problem> {
        let Self::Deflated(verifier) = self else { return Ok(()) };
        if verifier.into_inner().total_in() == entry.wayfinder.compressed_size_hint() {
            return Ok(());
        }
        Err(refused(path, "has other bytes behind its compressed data"))
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(reader) => reader.read(buffer),
            Self::Deflated(reader) => reader.read(buffer),
        }
    }
}

fn refused(path: &[u8], what: &str) -> Problem {
    Problem::Archive(format!("the zip archive's entry `{}` {what}", shown(path)))
}

/// What an error of the zip library means for the entry at `path`.
fn broken(path: &[u8], error: Error) -> Problem {
    match error.into_kind() {
        ErrorKind::IO(error) => {
            Problem::inside(&error, |_| refused(path, "ends too early: the archive is truncated or damaged"))
        }
        ErrorKind::InvalidSignature { .. } => {
            refused(path, "does not begin with a local header: the archive is damaged")
        }
        kind => refused(path, &format!("is damaged: {kind}")),
    }
}

/// What an error of reading an entry's content means.
fn broken_content(path: &[u8], error: &io::Error) -> Problem {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner.map(Error::kind) {
        Some(ErrorKind::InvalidChecksum { .. }) => refused(path, "does not match its checksum: the archive is damaged"),
        Some(ErrorKind::InvalidSize { expected, .. }) => {
            refused(path, &format!("has another size than the {expected} bytes that it claims"))
        }
        _ => refused(path, "is truncated, or no valid deflate data"),
    }
}
