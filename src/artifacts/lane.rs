//! Reads an object from a thread. It asks for a limited number of ranges ahead.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rawzip::ReaderAt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::error::Problem;
use super::stop::Stop;

/// The size of one range. It is large enough that a request's latency does not dominate, and small enough that a few
/// fit in memory.
pub(super) const RANGE_BYTES: u64 = 1024 * 1024;
/// Ranges on their way or waiting to be used, in all lanes of an artifact together: 8 MiB.
pub(super) const RANGES_AHEAD: usize = 8;

/// An object that can be read in ranges: the boundary to S3.
pub(super) trait Object: Send + Sync + 'static {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// The `length` bytes from `offset`, all within the object. `buffer` is empty, and its memory may be used for them.
    /// Reused memory does not fragment.
    fn read(&self, offset: u64, length: u64, buffer: BytesMut) -> impl Future<Output = Result<Bytes, Problem>> + Send;
}

/// An opened object, whose beginning has been read.
pub(super) struct Source<O> {
    pub(super) object: Arc<O>,
    /// The first range, or all of a small object.
    pub(super) head: Bytes,
    pub(super) runtime: Handle,
    pub(super) stop: Stop,
}

impl<O: Object> Source<O> {
    /// A reader that asks for up to `ahead` ranges early, but for none at or after `end`.
    pub(super) fn lane(&self, end: u64, ahead: usize) -> Lane<O> {
        let held = VecDeque::from([(0, self.head.clone())]);
        let state = State { next: self.head.len() as u64, pending: VecDeque::new(), held, spare: Vec::new() };
        Lane {
            object: Arc::clone(&self.object),
            head: self.head.clone(),
            runtime: self.runtime.clone(),
            stop: self.stop.clone(),
            end,
            ahead,
            state: RefCell::new(state),
        }
    }
}

/// A reader for one thread. It is fastest forward. Small steps back stay within the ranges that it holds. Any other
/// jump costs the ranges that are on their way.
///
/// Its methods block. Call them outside of the runtime's own threads.
pub(super) struct Lane<O> {
    object: Arc<O>,
    head: Bytes,
    runtime: Handle,
    stop: Stop,
    end: u64,
    ahead: usize,
    state: RefCell<State>,
}

struct State {
    /// The offset of the next range to ask for.
    next: u64,
    /// Ranges on their way, in order. The last one ends at `next`.
    pending: VecDeque<JoinHandle<Result<Bytes, Problem>>>,
    /// The last two ranges, by offset. A read may cross the border between them.
    held: VecDeque<(u64, Bytes)>,
    /// Buffers to use again.
    spare: Vec<BytesMut>,
}

impl<O: Object> Lane<O> {
    fn fill(&self, state: &mut State) {
        while state.pending.len() < self.ahead.max(1) && (state.next < self.end || state.pending.is_empty()) {
            let length = RANGE_BYTES.min(self.object.size().saturating_sub(state.next));
            if length == 0 {
                break;
            }
            let object = Arc::clone(&self.object);
            let offset = state.next;
            let buffer = state.spare.pop().unwrap_or_default();
            let reading = async move { object.read(offset, length, buffer).await };
            state.pending.push_back(self.runtime.spawn(reading.in_current_span()));
            state.next += length;
        }
    }

    /// Waits for the range that begins at the end of the last one.
    fn receive(&self, state: &mut State) -> Result<(), Problem> {
        self.fill(state);
        let Some(mut first) = state.pending.pop_front() else { return Err(Problem::Interrupted) };
        let bytes = self.runtime.block_on(async {
            tokio::select! {
                received = &mut first => received.unwrap_or(Err(Problem::Interrupted)),
                () = self.stop.stopped() => {
                    first.abort();
                    let _ = first.await;
                    Err(Problem::Interrupted)
                }
            }
        })?;
        let offset = state.held.back().map_or(0, |(offset, bytes)| offset + bytes.len() as u64);
        state.held.push_back((offset, bytes));
        if state.held.len() > 2
            && let Some((_, oldest)) = state.held.pop_front()
            && let Ok(mut buffer) = oldest.try_into_mut()
        {
            buffer.clear();
            state.spare.push(buffer);
        }
        self.fill(state);
        Ok(())
    }

    /// Continues at `offset`.
    fn jump(&self, state: &mut State, offset: u64) {
        self.forget(state);
        state.next = offset;
        state.held.clear();
        // An empty range marks the offset of the next one.
        state.held.push_back((offset, Bytes::new()));
    }
}

impl<O> Lane<O> {
    /// Cancels the ranges on their way and waits for them, so that no request outlives the reader.
    fn forget(&self, state: &mut State) {
        for pending in &state.pending {
            pending.abort();
        }
        for pending in state.pending.drain(..) {
            let _ = self.runtime.block_on(pending);
        }
    }
}

impl<O> Drop for Lane<O> {
    fn drop(&mut self) {
        self.forget(&mut self.state.borrow_mut());
    }
}

impl<O: Object> ReaderAt for Lane<O> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.stop.check()?;
        if offset >= self.object.size() || buffer.is_empty() {
            return Ok(0);
        }
        let mut state = self.state.borrow_mut();
        loop {
            for (start, bytes) in &state.held {
                let Some(skip) = offset.checked_sub(*start).and_then(|skip| usize::try_from(skip).ok()) else {
                    continue;
                };
                if skip < bytes.len() {
                    let count = buffer.len().min(bytes.len() - skip);
                    buffer[..count].copy_from_slice(&bytes[skip..skip + count]);
                    return Ok(count);
                }
            }
            let newest_end = state.held.back().map_or(0, |(start, bytes)| start + bytes.len() as u64);
            if offset < newest_end || offset >= state.next.max(newest_end + RANGE_BYTES) {
                self.jump(&mut state, offset);
            }
            self.receive(&mut state)?;
        }
    }
}

impl<O: Object> Clone for Lane<O> {
    /// A lane over the same object, without ranges on their way.
    fn clone(&self) -> Self {
        let source = Source {
            object: Arc::clone(&self.object),
            head: self.head.clone(),
            runtime: self.runtime.clone(),
            stop: self.stop.clone(),
        };
        source.lane(self.end, self.ahead)
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod memory {
    //! An object in memory, in place of one in S3.

    use super::*;

    pub(in super::super) struct InMemory(pub(in super::super) Bytes);

    impl Object for InMemory {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        async fn read(&self, offset: u64, length: u64, _: BytesMut) -> Result<Bytes, Problem> {
            Ok(self.0.slice(offset as usize..(offset + length) as usize))
        }
    }

    /// A source as S3 returns it, with its first range.
    #[cfg(test)]
    pub(in super::super) fn source(content: impl Into<Bytes>, runtime: &Handle) -> Source<InMemory> {
        with_head(content, RANGE_BYTES as usize, runtime)
    }

    /// A source with the first `head` bytes read.
    pub(in super::super) fn with_head(content: impl Into<Bytes>, head: usize, runtime: &Handle) -> Source<InMemory> {
        let content = content.into();
        let head = content.slice(..content.len().min(head));
        Source { object: Arc::new(InMemory(content)), head, runtime: runtime.clone(), stop: Stop::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
    }

    #[test]
    fn reads_in_any_order_return_the_objects_bytes() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let content = content(5 * 1024 * 1024 + 17);
        let source = memory::source(content.clone(), runtime.handle());
        for ahead in [0, 1, 3] {
            let lane = source.lane(content.len() as u64, ahead);
            let mega = 1024 * 1024;
            for (offset, length) in [
                (0, 10),
                (mega - 5, 10),
                (2 * mega - 1, 3 * mega),
                (5, 5),
                (4 * mega + 1, 100),
                (4 * mega, 100),
                (3 * mega, mega),
                (content.len() - 3, 3),
                (mega, 10),
            ] {
                let mut buffer = vec![0; length];
                lane.read_exact_at(&mut buffer, offset as u64).unwrap();
                assert!(buffer == content[offset..offset + length], "{offset} {length}");
            }
            assert_eq!(lane.read_at(&mut [0; 4], content.len() as u64).unwrap(), 0);
        }
    }

    #[test]
    fn stopped_lane_fails() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        struct Never;
        impl Object for Never {
            fn size(&self) -> u64 {
                1
            }
            async fn read(&self, _: u64, _: u64, _: BytesMut) -> Result<Bytes, Problem> {
                std::future::pending().await
            }
        }
        let stop = Stop::new();
        let source = Source {
            object: Arc::new(Never),
            head: Bytes::new(),
            runtime: runtime.handle().clone(),
            stop: stop.clone(),
        };
        let reading =
            std::thread::spawn(move || source.lane(1, 4).read_at(&mut [0], 0).map_err(|error| error.to_string()));
        stop.stop();
        assert_eq!(reading.join().unwrap(), Err("staging was interrupted".to_owned()));
    }
}
