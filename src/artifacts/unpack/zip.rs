//! Unpacks zip archives. Reads them through their central directory, directly from the object's ranges.
//!
//! The entries are sorted by offset and divided into batches. A thread takes the next batch when it is free. It reads a batch of
//! small entries into memory and unpacks each of them whole. A large entry streams through a lane of its own, and a second thread
//! writes what the first one inflates.

use rawzip::{Error, ErrorKind, ZipArchive};

use super::super::error::{Problem, shown};
use super::super::jail::{Attributes, FolderCache, Jail};
use super::super::lane::{Object, Source};
use batches::Batches;
#[cfg(test)]
pub(super) use batches::MAX_WINDOW_BYTES;
use content::{Content, unreadable_content};
use index::{EntryType, Index};
#[cfg(test)]
pub(super) use whole::MAX_WHOLE_BYTES;
use whole::Unpacker;
use window::Window;

mod batches;
mod content;
mod host;
mod index;
mod local;
mod names;
mod order;
mod stream;
mod whole;
mod window;

/// The limit for the name and extra fields of a local header.
const MAX_LOCAL_FIELDS: usize = 2 * 65_535;

/// Unpacks all entries into the jail. The caller finishes the jail.
pub(super) fn unpack<O: Object>(source: &Source<O>, jail: &Jail<'_>) -> Result<(), Problem> {
    let (archive, index) = index::read(source, jail)?;
    let batches = &Batches::new(source, &index);
    let index = &index;
    let span = &tracing::Span::current();
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |_| {
            // The clone has the same directory and its own lane.
            let mut archive = archive.clone();
            *archive.get_mut() = Window::new(source.lane(index.directory, batches.ahead));
            let work = move || unpack_batches(archive, index, batches, jail).inspect_err(|_| source.stop.stop());
            scope.spawn(move || span.in_scope(work))
        };
        let threads: Vec<_> = (0..batches.threads).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Problem::Interrupted))).collect()
    });
    // The first failure interrupts the other threads. Their failures do not matter.
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let cause = failures.iter().find(|problem| **problem != Problem::Interrupted);
    cause.or(failures.first()).map_or(Ok(()), |problem| Err(problem.clone()))
}

/// The parts that a thread uses again for each entry.
struct Reused {
    cache: FolderCache,
    local_fields: Vec<u8>,
    unpacker: Unpacker,
}

/// Takes batches until none is left.
fn unpack_batches<O: Object>(
    mut archive: ZipArchive<Window<O>>,
    index: &Index,
    batches: &Batches<'_, O>,
    jail: &Jail<'_>,
) -> Result<(), Problem> {
    let mut reused =
        Reused { cache: FolderCache::default(), local_fields: vec![0; MAX_LOCAL_FIELDS], unpacker: Unpacker::new() };
    while let Some(batch) = batches.next(archive.get_mut())? {
        for at in batch {
            unpack_entry(&archive, index, at, jail, &mut reused)?;
        }
    }
    Ok(())
}

fn unpack_entry<O: Object>(
    archive: &ZipArchive<Window<O>>,
    index: &Index,
    at: usize,
    jail: &Jail<'_>,
    Reused { cache, local_fields, unpacker }: &mut Reused,
) -> Result<(), Problem> {
    let entry = &index.entries[at];
    let path = index.path(entry);
    let body = archive.get_entry(entry.wayfinder).map_err(|error| unreadable(path, error))?;
    let range = body.compressed_data_range();
    if range.1 > index.limit(at) {
        return Err(refused(path, "overlaps with the next entry or the central directory"));
    }
    let modified = Some(local::modified(&body, entry, path, local_fields)?);
    let attributes = Attributes { mode: entry.mode, modified };
    let content = || Content::of(entry, body.reader());
    match entry.entry_type {
        EntryType::Folder => return jail.folder(path, attributes, cache),
        // Like unzip, sets no modification time on links.
        EntryType::Link => return jail.link(path, content().into_target(path)?, None, cache),
        EntryType::File => {}
    }
    let packed = archive.get_ref().bytes(range);
    let whole = packed.and_then(|packed| unpacker.content(entry, packed));
    let mut file = jail.new_file(path, cache)?;
    let unreadable = |error: &std::io::Error| unreadable_content(path, error);
    match (whole, packed) {
        (Some(whole), _) => file.append(whole)?,
        (None, Some(_)) => file.copy(&mut content(), unreadable).map(|_| ())?,
        (None, None) => stream::copy(&mut content(), &mut file, unreadable)?,
    }
    file.finish(attributes).map(|_| ())
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
