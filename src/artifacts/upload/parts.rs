//! The parts of an upload, from the thread that writes them to the task that sends them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::super::error::Problem;
use super::super::stop::Stop;

/// The smallest part that S3 accepts before the last one ("Amazon S3 multipart upload limits"). 10 000 parts make
/// 10 000 × 5 MiB = 48.8 GiB, more than Lambda's /tmp of 10 GiB holds.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// The longest object that can be uploaded: 48.8 GiB.
pub(in super::super) const MAX_BYTES: u64 = 10_000 * PART_BYTES as u64;
/// Parts in memory: one that is being filled, and those on their way. 4 × 5 MiB = 20 MiB.
const PARTS_IN_MEMORY: usize = 4;

/// A part, with its room in memory.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

/// The memory of parts that were sent.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// The bytes of a part. Their memory is used again. Otherwise the memory of a process grows with the number of parts, because
/// the gaps between other allocations are too small for a part.
struct Reused {
    bytes: Vec<u8>,
    spare: Spare,
}

impl AsRef<[u8]> for Reused {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Reused {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

/// The end of the stream that a thread writes to. It waits for room in memory before it takes the first byte of a part.
pub(in super::super) struct PartWriter {
    parts: mpsc::Sender<Part>,
    room: Arc<Semaphore>,
    runtime: Handle,
    stop: Stop,
    filling: Option<(Reused, OwnedSemaphorePermit)>,
    spare: Spare,
    sent: bool,
}

/// The other end of a [`PartWriter`].
pub(in super::super) struct Parts(pub(super) mpsc::Receiver<Part>);

pub(in super::super) fn channel(runtime: Handle, stop: Stop) -> (PartWriter, Parts) {
    let (sender, receiver) = mpsc::channel(PARTS_IN_MEMORY);
    let room = Arc::new(Semaphore::new(PARTS_IN_MEMORY));
    (
        PartWriter { parts: sender, room, runtime, stop, filling: None, spare: Spare::default(), sent: false },
        Parts(receiver),
    )
}

impl PartWriter {
    /// Sends the rest, or an empty part if nothing was written. Without this call, the last part is missing.
    pub(in super::super) fn finish(mut self) -> Result<(), Problem> {
        if !self.sent && self.filling.is_none() {
            self.filling = Some((self.buffer(0), self.wait_for_room()?));
        }
        self.send()
    }

    fn send(&mut self) -> Result<(), Problem> {
        let Some((bytes, room)) = self.filling.take() else { return Ok(()) };
        let part = Part { bytes: Bytes::from_owner(bytes), _room: room };
        self.sent = true;
        // The channel is closed if the upload has failed or was cancelled.
        self.parts.blocking_send(part).map_err(|_| Problem::Interrupted)
    }

    /// The memory of a part that was sent, or else new memory.
    fn buffer(&self, capacity: usize) -> Reused {
        let used = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Reused { bytes: used.unwrap_or_else(|| Vec::with_capacity(capacity)), spare: Arc::clone(&self.spare) }
    }

    fn wait_for_room(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let room = Arc::clone(&self.room);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.stopped() => Err(Problem::Interrupted),
                room = room.acquire_owned() => room.map_err(|_| Problem::Interrupted),
            }
        })
    }
}

impl io::Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let (mut part, room) = match self.filling.take() {
            Some(filling) => filling,
            None => {
                let room = self.wait_for_room()?;
                (self.buffer(PART_BYTES), room)
            }
        };
        let count = bytes.len().min(PART_BYTES - part.bytes.len());
        part.bytes.extend_from_slice(&bytes[..count]);
        let full = part.bytes.len() == PART_BYTES;
        self.filling = Some((part, room));
        if full {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
