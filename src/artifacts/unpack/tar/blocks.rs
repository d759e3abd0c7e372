//! Reads an archive as blocks of 512 bytes: headers and content.

use std::io::{self, BufRead, BufReader, Read};

use super::super::super::error::{Problem, shown};

pub(super) const BLOCK_BYTES: usize = 512;
const BUFFER_BYTES: usize = 64 * 1024;

/// An archive, read from its start.
pub(super) struct Blocks<R> {
    from: BufReader<R>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(BUFFER_BYTES, from) }
    }

    /// Reads a block. Returns `None` at the archive's end. Like GNU tar, ignores less than a block.
    pub(super) fn next(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, Problem> {
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            // An error is not the end: a truncated gzip causes one.
            match self.from.read(&mut block[filled..]) {
                Ok(0) => return Ok(None),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(Some(block))
    }

    /// The `size` bytes of content after a header. Call [`Content::finish`] to get to the next header.
    pub(super) fn content(&mut self, size: u64) -> Content<'_, R> {
        let padding = size.wrapping_neg() % BLOCK_BYTES as u64;
        Content { from: &mut self.from, left: size, padding }
    }
}

/// An entry's content. Reading fails if the archive ends first.
pub(super) struct Content<'b, R> {
    from: &'b mut BufReader<R>,
    left: u64,
    padding: u64,
}

impl<R: Read> Content<'_, R> {
    /// Skips the rest, and the zeros that pad the last block. An archive may end without these zeros.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        let skipped = io::copy(&mut self, &mut io::sink()).and_then(|_| {
            let padding = self.padding;
            io::copy(&mut self.from.take(padding), &mut io::sink())
        });
        skipped.map(drop).map_err(|error| unreadable(&error))
    }
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        match self.from.read(&mut buffer[..most])? {
            0 => Err(truncated()),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

impl<R: Read> BufRead for Content<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let buffered = self.from.fill_buf()?;
        if buffered.is_empty() {
            return Err(truncated());
        }
        Ok(&buffered[..usize::try_from(self.left).map_or(buffered.len(), |left| left.min(buffered.len()))])
    }

    fn consume(&mut self, count: usize) {
        self.left -= count as u64;
        self.from.consume(count);
    }
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within an entry")
}

/// The problem behind an error of reading the archive.
pub(in super::super) fn unreadable(error: &io::Error) -> Problem {
    Problem::inside(error, |error| {
        Problem::Archive(format!("the archive is truncated or damaged: {}", shown(&error.to_string())))
    })
}
