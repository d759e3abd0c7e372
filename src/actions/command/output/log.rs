//! The thread that logs the output of one command.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Span;

use super::super::tail::End;
use super::writer::write;
use super::{Room, Stream};
use crate::redact::Redactor;

/// How many pieces of each stream may wait for the thread. A piece has at most 64 KiB.
pub(super) const ROOMS: usize = 8;
/// How long a cancelled command waits for the thread.
const BRIEFLY: Duration = Duration::from_secs(1);
/// How long the thread may take to end after it was stopped. It can't stop in the middle of a write.
const STOPPING: Duration = Duration::from_millis(250);

/// The thread. When this is dropped, the thread leaves out what it has not logged, and ends.
pub(super) struct Log {
    pieces: Sender<Piece>,
    rooms: Arc<Semaphore>,
    /// The thread logs while this exists.
    wanted: Arc<()>,
    /// Both report the end of the thread, to a task and to a thread.
    ended: oneshot::Receiver<()>,
    ended_for_thread: Receiver<()>,
}

/// A message to the thread.
pub(super) enum Piece {
    Output(Stream, Vec<u8>, Option<Room>),
    /// The output between what was logged and `end` is not logged.
    Gap {
        missing: u64,
        after_beginning: bool,
        end: End,
    },
    /// The command was killed, so the output may end in the middle of a secret.
    Cut,
}

impl Log {
    /// Starts the thread. Its lines belong to the present span.
    pub(super) fn start(redactor: Arc<Redactor>) -> io::Result<Self> {
        let (pieces, given) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let (end_for_thread, ended_for_thread) = mpsc::channel();
        let wanted = Arc::new(());
        let is_wanted = Arc::downgrade(&wanted);
        let (span, dispatch) = (Span::current(), tracing::dispatcher::get_default(Clone::clone));
        std::thread::Builder::new().name("output".into()).spawn(move || {
            // They report the end also after a panic.
            let _ends = (end, end_for_thread);
            tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| write(&redactor, &given, is_wanted)));
            // The subscriber closes the span with its last handle.
            drop((span, dispatch));
        })?;
        Ok(Self { pieces, rooms: Arc::new(Semaphore::new(ROOMS)), wanted, ended, ended_for_thread })
    }

    /// The rooms for output that waits for the thread.
    pub(super) fn rooms(&self) -> Arc<Semaphore> {
        Arc::clone(&self.rooms)
    }

    /// Logs output. Does not wait.
    pub(super) fn output(&self, stream: Stream, bytes: Vec<u8>, room: Option<Room>) {
        self.give(Piece::Output(stream, bytes, room));
    }

    /// Logs how much is missing, and then the end of the output.
    pub(super) fn gap(&self, missing: u64, after_beginning: bool, end: End) {
        self.give(Piece::Gap { missing, after_beginning, end });
    }

    /// Ends the output where the command was killed.
    pub(super) fn cut(&self) {
        self.give(Piece::Cut);
    }

    fn give(&self, piece: Piece) {
        // Without a receiver the thread has panicked, and the panic hook has logged it.
        let _ = self.pieces.send(piece);
    }

    /// Waits until the thread has logged everything, but not after `latest`. Stops the thread then, and waits a moment for its end.
    pub(super) async fn written(self, latest: Instant) {
        let Self { pieces, wanted, mut ended, .. } = self;
        drop(pieces);
        if timeout_at(latest, &mut ended).await.is_err() {
            drop(wanted);
            let _ = timeout(STOPPING, ended).await;
        }
    }

    /// The same for a caller that can't wait long. It blocks.
    pub(super) fn wait_briefly(self) {
        let Self { pieces, wanted, ended_for_thread, .. } = self;
        drop(pieces);
        if ended_for_thread.recv_timeout(BRIEFLY) == Err(RecvTimeoutError::Timeout) {
            drop(wanted);
            let _ = ended_for_thread.recv_timeout(STOPPING);
        }
    }
}
