//! Reads the files of an output folder.

use std::io::{self, Read, Seek};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::super::error::Problem;
use super::could_not;
use super::zip::{BLOCK_BYTES, WINDOW_BYTES};

/// A file that is being read.
pub(super) struct OpenFile<'t> {
    path: &'t str,
    file: File,
    /// The size when it was opened, which may change.
    pub(super) size: u64,
}

impl<'t> OpenFile<'t> {
    pub(super) fn open(root: &Dir, path: &'t str) -> Result<Self, Problem> {
        let mut options = OpenOptions::new();
        // Follows no link and does not wait for a pipe's writer: the file may have been replaced since the tree was listed.
        options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let file = root.open_with(path, &options);
        let opened = file.and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
        let (file, size) = opened.map_err(|error| could_not("read", path, &error))?;
        Ok(Self { path, file, size })
    }

    /// Reads the next bytes into `to`. Fewer than fit mean that the file has ended.
    pub(super) fn read(&mut self, to: &mut [u8]) -> Result<usize, Problem> {
        let mut count = 0;
        while count < to.len() {
            match self.file.read(&mut to[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(could_not("read", self.path, &error)),
            }
        }
        Ok(count)
    }

    /// Goes back to the beginning.
    pub(super) fn rewind(&mut self) -> Result<(), Problem> {
        self.file.rewind().map_err(|error| could_not("read", self.path, &error))
    }
}

/// A file that is read block by block.
pub(super) struct Blocks<'t> {
    file: OpenFile<'t>,
    /// The end of the previous block, empty before the first one.
    window: Vec<u8>,
    ended: bool,
}

/// A block of a file, after the bytes that it may refer to.
pub(super) struct Block {
    /// Always as long as a window and a block.
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

impl<'t> Blocks<'t> {
    pub(super) fn new(file: OpenFile<'t>) -> Self {
        Self { file, window: Vec::new(), ended: false }
    }

    /// Reads the next block into `buffer`. Returns `None` at the end of the file.
    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Block>, Problem> {
        if self.ended {
            return Ok(None);
        }
        buffer.resize(WINDOW_BYTES + BLOCK_BYTES, 0);
        let begin = self.window.len();
        buffer[..begin].copy_from_slice(&self.window);
        let count = self.file.read(&mut buffer[begin..begin + BLOCK_BYTES])?;
        self.ended = count < BLOCK_BYTES;
        if !self.ended {
            self.window.clear();
            self.window.extend_from_slice(&buffer[begin + BLOCK_BYTES - WINDOW_BYTES..begin + BLOCK_BYTES]);
        }
        Ok((count > 0).then_some(Block { buffer, begin, end: begin + count }))
    }
}

impl Block {
    /// The bytes before the block, and the block.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        self.buffer[..self.end].split_at(self.begin)
    }

    pub(super) fn is_full(&self) -> bool {
        self.end - self.begin == BLOCK_BYTES
    }

    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
