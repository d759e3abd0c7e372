//! Zip archives, read through their central directory straight from the object's ranges.
//!
//! The entries are sorted by their place in the archive, and cut into contiguous parts of about the same size. Each part has
//! a thread, which reads forward through a lane of its own.

use std::ops::Range;

use rawzip::{Error, ErrorKind, ZipArchive};

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, Jail, Nearby};
use super::super::lane::{Lane, Object, RANGES_AHEAD, Source};
use content::{Content, broken_content};
use index::{Index, Kind};

mod content;
mod host;
mod index;
mod local;
mod names;
mod order;

/// The most threads for one archive; fewer where there are fewer processors or less to do.
const MOST_LANES: usize = 4;
/// Fewer bytes are not worth a thread.
const LEAST_LANE_BYTES: u64 = 4 * 1024 * 1024;
/// A local header's name and extra fields together have at most this many bytes.
const LONGEST_LOCAL_FIELDS: usize = 2 * 65_535;

/// Unpacks all entries into the jail; what the jail leaves for its end is left.
pub(super) fn unpack<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(), Problem> {
    let (archive, index) = index::read(source, jail)?;
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
        let modified = Some(local::modified(&body, entry, path, &mut local_fields)?);
        let attributes = Attributes { mode: entry.mode, modified };
        let content = || Content::of(entry, body.reader());
        match entry.kind {
            Kind::Folder => jail.folder(path, attributes, &mut nearby)?,
            // unzip leaves a link the time at which it makes it.
            Kind::Link => jail.link(path, content().into_target(path)?, None, &mut nearby)?,
            Kind::File => {
                let broken = |error: &std::io::Error| broken_content(path, error);
                jail.file(path, attributes, &mut nearby, &mut content(), broken)?;
            }
        }
    }
    Ok(())
}

fn refused(path: &[u8], what: &str) -> Problem {
    Problem::Archive(format!("the zip archive's entry `{}` {what}", shown(path)))
}

/// The problem that an error of the zip library stands for.
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
