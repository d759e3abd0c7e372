//! The output of a command: it is logged line by line, and its end goes into the message of a failure.
//!
//! A thread of its own redacts and logs, so that a slow log never delays the end of a command. The worker reads no further while the
//! thread is behind. Then the pipes fill, and the command waits as it would for a slow terminal. A thread that is still behind at the
//! end of the job's time, or after a cancellation, leaves out the rest, so that it logs nothing during a later invocation.

mod lines;
mod log;
mod writer;

use std::io;
use std::sync::Arc;

use memchr::memchr3_iter;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Level;

use self::log::Log;
use super::tail::{KEPT, Tail};
use crate::redact::Redactor;

/// The beginning of the output that is logged at once. Then only the end is kept, and logged when the command has ended.
const HEAD_BYTES: usize = 20 * 1024 * 1024;
/// The same in lines. Even a short line has some 500 bytes in the log.
const HEAD_LINES: usize = 500_000;

/// How much of a command's output is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOutput {
    /// The first 20 MiB or 500,000 lines while the command runs, and the last 64 KiB.
    All,
    /// The last 64 KiB if the command fails.
    Failure,
    /// Nothing.
    None,
}

/// How a command ended, as far as its output depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Succeeded,
    Failed,
    /// A signal ended it or one of its programs, so its output may end in the middle of a secret.
    Killed,
}

/// One of the two pipes that a command writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(super) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// Its name in the log.
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The right to add more output to the log. The log gives it back when it has written the output.
pub(super) type Room = OwnedSemaphorePermit;

/// The output of one command. If this is dropped before its end, it logs what was read, because the command was cancelled.
pub(super) struct Output {
    redactor: Arc<Redactor>,
    wanted: LogOutput,
    /// How much of the output still belongs to its beginning.
    head: Head,
    /// Bytes read, and bytes given to the log.
    total: u64,
    logged: u64,
    tail: Tail,
    log: Option<Log>,
}

#[derive(Clone, Copy)]
struct Head {
    bytes: usize,
    lines: usize,
}

/// The head of `logOutput` `all`.
const HEAD: Head = Head { bytes: HEAD_BYTES, lines: HEAD_LINES };

impl Output {
    pub(super) fn new(wanted: LogOutput, redactor: Arc<Redactor>) -> io::Result<Self> {
        Self::with_head(HEAD, wanted, redactor)
    }

    fn with_head(head: Head, wanted: LogOutput, redactor: Arc<Redactor>) -> io::Result<Self> {
        let is_logged = wanted != LogOutput::None && tracing::enabled!(Level::INFO);
        let log = is_logged.then(|| Log::start(Arc::clone(&redactor))).transpose()?;
        let head = if wanted == LogOutput::All { head } else { Head { bytes: 0, lines: 0 } };
        Ok(Self { tail: Tail::new(&redactor), redactor, wanted, head, total: 0, logged: 0, log })
    }

    /// Waits until the log has room for more output.
    pub(super) fn room(&self) -> impl Future<Output = Option<Room>> + use<> {
        let log = self.log.as_ref().filter(|_| self.head.is_open());
        let rooms = log.map(Log::rooms);
        async move { rooms?.acquire_owned().await.ok() }
    }

    /// Adds output that was read after waiting for `room`. One room is enough for the output of both streams.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8], room: &mut Option<Room>) {
        self.total += bytes.len() as u64;
        self.tail.push(stream, bytes);
        let (first, _) = bytes.split_at(self.head.take(bytes));
        if let Some(log) = &self.log
            && !first.is_empty()
        {
            self.logged += first.len() as u64;
            log.output(stream, first.to_vec(), room.take());
        }
    }

    /// Logs the rest, and waits until all is logged, but not much longer than until `latest`. Returns the end of the output as text,
    /// unless the command succeeded.
    pub(super) async fn end(mut self, ended: Ended, latest: Instant) -> Option<String> {
        if let Some(log) = self.close(ended) {
            log.written(latest).await;
        }
        if ended == Ended::Succeeded { None } else { self.tail.text(&self.redactor, ended) }
    }

    /// Gives the rest to the log, which then ends.
    fn close(&mut self, ended: Ended) -> Option<Log> {
        let log = self.log.take()?;
        let rest = self.total - self.logged;
        if rest > 0 && (self.wanted == LogOutput::All || ended != Ended::Succeeded) {
            let end = self.tail.end(KEPT.min(usize::try_from(rest).unwrap_or(KEPT)));
            match rest.checked_sub(KEPT as u64) {
                Some(missing @ 1..) => log.gap(missing, self.logged > 0, end),
                _ => end.shown.into_iter().for_each(|(stream, bytes)| log.output(stream, bytes, None)),
            }
        }
        if ended == Ended::Killed {
            log.cut();
        }
        Some(log)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(log) = self.close(Ended::Killed) {
            log.wait_briefly();
        }
    }
}

impl Head {
    fn is_open(&self) -> bool {
        self.bytes > 0 && self.lines > 0
    }

    /// The number of `bytes` that belong to the beginning.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let first = &bytes[..bytes.len().min(self.bytes)];
        let mut taken = if self.lines == 0 { 0 } else { first.len() };
        for end in memchr3_iter(b'\n', 0x0b, 0x0c, first) {
            if self.lines == 0 {
                break;
            }
            self.lines -= 1;
            if self.lines == 0 {
                taken = end + 1;
            }
        }
        self.bytes -= taken;
        taken
    }
}

#[cfg(test)]
mod tests;
