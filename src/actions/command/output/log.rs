//! The thread that redacts and logs the output of one command.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::super::tail::End;
use super::lines::take_lines;
use super::{Room, Stream};
use crate::redact::{RedactedStream, Redactor};

/// How many pieces of each stream may wait for the thread. A piece has at most 64 KiB.
pub(super) const ROOMS: usize = 8;
/// How long a cancelled command waits for the thread.
const BRIEFLY: Duration = Duration::from_secs(1);

/// The thread. It ends when this is dropped, after it has logged everything that it was given.
pub(super) struct Log {
    pieces: Sender<Piece>,
    rooms: Arc<Semaphore>,
    /// Both report the end of the thread, to a task and to a thread.
    ended: oneshot::Receiver<()>,
    ended_for_thread: Receiver<()>,
}

enum Piece {
    Output(Stream, Vec<u8>, Option<Room>),
    /// The output between what was logged and `end` is not logged.
    Gap {
        missing: u64,
        after_beginning: bool,
        end: End,
    },
}

impl Log {
    /// Starts the thread. Its lines belong to the present span.
    pub(super) fn start(redactor: Arc<Redactor>) -> io::Result<Self> {
        let (pieces, given) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let (end_for_thread, ended_for_thread) = mpsc::channel();
        let (span, dispatch) = (Span::current(), tracing::dispatcher::get_default(Clone::clone));
        std::thread::Builder::new().name("output".into()).spawn(move || {
            // They report the end also after a panic.
            let _ends = (end, end_for_thread);
            tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| write(&redactor, &given)));
            // The subscriber closes the span with its last handle.
            drop((span, dispatch));
        })?;
        Ok(Self { pieces, rooms: Arc::new(Semaphore::new(ROOMS)), ended, ended_for_thread })
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

    fn give(&self, piece: Piece) {
        // Without a receiver the thread has panicked, and the panic hook has logged it.
        let _ = self.pieces.send(piece);
    }

    /// Waits until the thread has logged everything, but not after `latest`. The thread continues then.
    pub(super) async fn written(self, latest: Instant) {
        let Self { pieces, ended, .. } = self;
        drop(pieces);
        let _ = timeout_at(latest, ended).await;
    }

    /// The same for a caller that can't wait long. It blocks.
    pub(super) fn wait_briefly(self) {
        let Self { pieces, ended_for_thread, .. } = self;
        drop(pieces);
        let _ = ended_for_thread.recv_timeout(BRIEFLY);
    }
}

fn write(redactor: &Redactor, pieces: &Receiver<Piece>) {
    let mut writers = Stream::ALL.map(|stream| Writer::new(stream, RedactedStream::new(redactor)));
    for piece in pieces {
        match piece {
            Piece::Output(stream, bytes, _room) => writers[stream as usize].push(&bytes),
            Piece::Gap { missing, after_beginning, end } => {
                writers.into_iter().for_each(Writer::cut);
                if after_beginning {
                    tracing::info!(
                        bytes = missing,
                        "left out the middle of the command's output; the log has its first 20 MiB and its last 64 KiB"
                    );
                } else {
                    tracing::info!(
                        bytes = missing,
                        "left out the beginning of the command's output; the log has its last 64 KiB"
                    );
                }
                writers = Stream::ALL.map(|stream| Writer::new(stream, end.stream(stream, redactor)));
                end.shown.iter().for_each(|(stream, bytes)| writers[*stream as usize].push(bytes));
            }
        }
    }
    writers.into_iter().for_each(Writer::finish);
}

/// Logs the lines of one stream.
struct Writer<'r> {
    stream: Stream,
    redacted: RedactedStream<'r>,
    /// Redacted text whose line has not ended.
    text: String,
}

impl<'r> Writer<'r> {
    fn new(stream: Stream, redacted: RedactedStream<'r>) -> Self {
        Self { stream, redacted, text: String::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.redacted.push(bytes, &mut self.text);
        log(self.stream, &take_lines(&mut self.text));
    }

    fn finish(mut self) {
        self.redacted.finish(&mut self.text);
        log_last(self.stream, self.text);
    }

    fn cut(mut self) {
        self.redacted.cut(&mut self.text);
        log_last(self.stream, self.text);
    }
}

fn log_last(stream: Stream, mut text: String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    log(stream, &take_lines(&mut text));
}

/// Logs lines in one event. `telemetry` writes one JSON object for each line.
fn log(stream: Stream, lines: &str) {
    if let Some(lines) = lines.strip_suffix('\n') {
        tracing::info!(stream = stream.name(), "{lines}");
    }
}
