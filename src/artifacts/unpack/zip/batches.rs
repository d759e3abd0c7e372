//! Divides the work between threads. A thread takes the next batch when it is free, so that all threads end at about the same
//! time.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::super::super::error::Problem;
use super::super::super::lane::{Lane, Object, RANGES_AHEAD, Source};
use super::super::super::processors;
use super::index::Index;
use super::unreadable;
use super::window::Window;

/// The limit for threads. There are fewer on fewer processors and for small archives.
const MAX_LANES: usize = 4;
/// A thread is not worthwhile for fewer bytes.
const MIN_LANE_BYTES: u64 = 4 * 1024 * 1024;
/// A batch has as many entries as fit in so many bytes, or one larger entry: some 3 ms of work.
const BATCH_BYTES: u64 = MAX_WINDOW_BYTES / 4;
/// The limit for a batch that a thread reads into memory. A larger entry streams. While fuzzing, inputs of all sizes exceed it.
pub(in super::super) const MAX_WINDOW_BYTES: u64 = if cfg!(fuzzing) { 256 } else { 1024 * 1024 };
/// The ranges ahead for the batches in memory, if there are streams too.
const AHEAD_BESIDE_STREAMS: usize = 3;

/// Entries that one thread unpacks, by number.
pub(super) type Batch = Range<usize>;

/// The batches of an archive.
pub(super) struct Batches<'i, O> {
    index: &'i Index,
    remaining: Mutex<Remaining<O>>,
    /// The number of threads that are worthwhile.
    pub(super) threads: usize,
    /// The ranges that each stream may request ahead.
    pub(super) ahead: usize,
}

struct Remaining<O> {
    batches: std::vec::IntoIter<Batch>,
    /// Reads the batches in memory, one after another.
    lane: Lane<O>,
}

impl<'i, O: Object> Batches<'i, O> {
    pub(super) fn new(source: &Source<O>, index: &'i Index) -> Self {
        let (mut streams, small): (Vec<_>, Vec<_>) =
            divide(index).into_iter().partition(|batch| size(index, batch) > MAX_WINDOW_BYTES);
        // The largest come first, so that no thread begins one while the others have nothing left to do.
        streams.sort_by_key(|batch| std::cmp::Reverse(size(index, batch)));
        let first = index.entries.first().map_or(index.directory, |entry| entry.offset);
        let bytes = index.directory.saturating_sub(first);
        let lanes = (bytes / MIN_LANE_BYTES).clamp(1, MAX_LANES.min(processors().max(2)) as u64);
        let threads = usize::try_from(lanes).unwrap_or(1).min(streams.len() + small.len());
        let (for_small, for_streams) = match (small.is_empty(), streams.is_empty()) {
            (false, false) => (AHEAD_BESIDE_STREAMS, RANGES_AHEAD - AHEAD_BESIDE_STREAMS),
            (true, _) => (0, RANGES_AHEAD),
            (false, true) => (RANGES_AHEAD, 0),
        };
        let ahead = for_streams / threads.min(streams.len()).max(1);
        let lane = source.lane(small.last().map_or(0, |last| bounds(index, last).end), for_small);
        streams.extend(small);
        Self { index, remaining: Mutex::new(Remaining { batches: streams.into_iter(), lane }), threads, ahead }
    }

    /// Takes the next batch, and reads it into the window unless it streams.
    pub(super) fn next(&self, window: &mut Window<O>) -> Result<Option<Batch>, Problem> {
        let mut remaining = self.remaining.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(batch) = remaining.batches.next() else { return Ok(None) };
        let bounds = bounds(self.index, &batch);
        if bounds.end - bounds.start <= MAX_WINDOW_BYTES {
            let path = self.index.path(&self.index.entries[batch.start]);
            window.load(bounds, &remaining.lane).map_err(|error| unreadable(path, error.into()))?;
        }
        Ok(Some(batch))
    }
}

/// Divides the entries into batches, in order.
fn divide(index: &Index) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut begin = 0;
    while begin < index.entries.len() {
        let mut end = begin + 1;
        while end < index.entries.len() && size(index, &(begin..end + 1)) <= BATCH_BYTES {
            end += 1;
        }
        batches.push(begin..end);
        begin = end;
    }
    batches
}

/// Where a batch is in the object: up to the next entry or the central directory.
fn bounds(index: &Index, batch: &Batch) -> Range<u64> {
    let start = index.entries[batch.start].offset;
    start..index.limit(batch.end - 1).max(start)
}

fn size(index: &Index, batch: &Batch) -> u64 {
    let Range { start, end } = bounds(index, batch);
    end - start
}
