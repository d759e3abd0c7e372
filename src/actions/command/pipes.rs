//! The pipes that a command writes to.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;
use tokio::process::Command;

use super::output::{Output, Room, Stream};

/// The capacity of a pipe (the default of `/proc/sys/fs/pipe-max-size`). No more can be left in it.
const PIPE_BYTES: usize = 1024 * 1024;
/// How much is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The reading ends. An end is missing after all writers have closed it.
pub(super) struct Pipes {
    ends: [Option<pipe::Receiver>; 2],
    buffer: Vec<u8>,
}

impl Pipes {
    /// Makes two pipes the output of `command`, which holds their writing ends open until it is dropped.
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        let (stdout, writer) = io::pipe()?;
        command.stdout(writer);
        let (stderr, writer) = io::pipe()?;
        command.stderr(writer);
        let receiver = |reader| pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map(Some);
        Ok(Self { ends: [receiver(stdout)?, receiver(stderr)?], buffer: vec![0; PIECE_BYTES] })
    }

    /// Whether a process may still write.
    pub(super) fn are_open(&self) -> bool {
        self.ends.iter().any(Option::is_some)
    }

    /// Reads until all writers have closed the pipes. Dropping the future loses no output that was read.
    pub(super) async fn read_all(&mut self, output: &mut Output) {
        while self.are_open() {
            let mut room = output.room().await;
            let [stdout, stderr] = &self.ends;
            tokio::select! {
                () = readable(stdout.as_ref()) => {}
                () = readable(stderr.as_ref()) => {}
            }
            // Both in turn, so that a flood in one does not hold up the other.
            for stream in Stream::ALL {
                self.read_once(stream, output, &mut room, pipe::Receiver::try_read);
            }
        }
    }

    /// Reads the present content of the pipes. Does not wait for their end, because a process that could not be killed may hold them
    /// open.
    pub(super) fn read_rest(&mut self, output: &mut Output) {
        // The runtime may not yet know that there is more.
        let read = |pipe: &pipe::Receiver, buffer: &mut [u8]| rustix::io::read(pipe, buffer).map_err(io::Error::from);
        for stream in Stream::ALL {
            let mut total = 0;
            while total < PIPE_BYTES {
                match self.read_once(stream, output, &mut None, read) {
                    0 => break,
                    length => total += length,
                }
            }
        }
    }

    /// Reads what is in one pipe, up to a piece. Returns the number of bytes.
    fn read_once(
        &mut self,
        stream: Stream,
        output: &mut Output,
        room: &mut Option<Room>,
        read: impl FnOnce(&pipe::Receiver, &mut [u8]) -> io::Result<usize>,
    ) -> usize {
        let end = &mut self.ends[stream as usize];
        let Some(pipe) = end else { return 0 };
        match read(pipe, &mut self.buffer) {
            Ok(length @ 1..) => {
                output.push(stream, &self.buffer[..length], room);
                length
            }
            // The reading ends do not block, so an empty pipe is an error.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            // All writers have closed it.
            Ok(0) | Err(_) => {
                *end = None;
                0
            }
        }
    }
}

/// Waits until the pipe has content, or an end.
async fn readable(pipe: Option<&pipe::Receiver>) {
    match pipe {
        Some(pipe) => drop(pipe.readable().await),
        None => pending().await,
    }
}
