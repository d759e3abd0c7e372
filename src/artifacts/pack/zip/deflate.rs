//! Deflates the content of files, whole or in blocks.
//!
//! A file of less than [`BLOCK_BYTES`] is one stream of `libdeflate`, which is faster than `zlib-rs` but compresses only whole
//! buffers. A longer file is cut into blocks that several threads deflate, as `pigz` does. Each block refers to the
//! [`WINDOW_BYTES`] before it and ends at a byte's boundary with a sync flush, so the blocks make up one stream.
//!
//! A block that does not compress is stored within the stream. Trials with a fast level find such a block.

use std::io;

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use libdeflater::{CompressionLvl, Compressor};

/// The length of a block. With 256 KiB, a zip is 0.1 % longer than without blocks, and many threads are busy with one file.
pub(in super::super) const BLOCK_BYTES: usize = 256 * 1024;
/// How far back a deflated stream refers.
pub(in super::super) const WINDOW_BYTES: usize = 32 * 1024;

/// `libdeflate`'s level for whole files. 17,000 source files are 0.4 % shorter than at zlib's level 6, and those of `bench/compare`
/// are 4 % longer. Level 5 takes 14 to 22 % less time, but there it is 7 % longer, which exceeds our limit of 5 %.
const LEVEL: u8 = 6;
/// `zlib-rs`'s level for blocks. They are 0.1 % longer than at its level 6.
const BLOCK_LEVEL: u8 = 5;
/// The level of trials.
const TRIAL_LEVEL: u8 = 1;
/// A first, quick trial deflates as many pieces of a block, evenly spread.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 4 * 1024;
/// The longest block that a stream can store.
const STORED_BYTES: usize = u16::MAX as usize;

/// Deflated content, and the checksum of what it was.
pub(in super::super) struct Deflated {
    pub(in super::super) bytes: Vec<u8>,
    pub(in super::super) crc: Hasher,
    /// The length before deflating.
    pub(in super::super) unpacked: u64,
}

/// Deflates one piece of content after the other. It keeps its memory, so each thread has its own.
pub(in super::super) struct Deflater {
    whole: Compressor,
    trial: Compressor,
    buffer: Vec<u8>,
}

impl Deflater {
    pub(in super::super) fn new() -> Self {
        // Rust's own allocation comes first and is the largest, so a process without memory aborts here. `libdeflater` would panic.
        let buffer = Vec::with_capacity(2 * BLOCK_BYTES);
        let level = |level: u8| Compressor::new(CompressionLvl::new(level.into()).unwrap_or_default());
        Self { whole: level(LEVEL), trial: level(TRIAL_LEVEL), buffer }
    }

    /// Deflates a whole file.
    pub(in super::super) fn whole(&mut self, content: &[u8]) -> io::Result<Deflated> {
        let most = self.whole.deflate_compress_bound(content.len());
        self.buffer.resize(most.max(self.buffer.len()), 0);
        let length = self.whole.deflate_compress(content, &mut self.buffer).map_err(io::Error::other)?;
        Ok(deflated(content, self.buffer[..length].to_vec()))
    }

    /// Deflates a block that follows `before` into `to`.
    pub(in super::super) fn block(&mut self, before: &[u8], content: &[u8], mut to: Vec<u8>) -> io::Result<Deflated> {
        if self.compresses(content) {
            // A reset compressor still has the previous block in memory. `zlib-rs` hashes a byte of it with the end of a
            // dictionary. The result would depend on which thread got which block.
            let mut stream = Compress::new(Compression::new(BLOCK_LEVEL.into()), false);
            if !before.is_empty() {
                stream.set_dictionary(before)?;
            }
            // A result that is not shorter than the block does not fit.
            to.resize(content.len(), 0);
            stream.compress(content, &mut to, FlushCompress::Sync)?;
            let (read, written) = (stream.total_in(), stream.total_out() as usize);
            if read == content.len() as u64 && written < to.len() {
                to.truncate(written);
                return Ok(deflated(content, to));
            }
        }
        store(content, &mut to);
        Ok(deflated(content, to))
    }

    /// Whether a fast level saves 2 % or more: of four pieces of the block, or else of the whole block.
    fn compresses(&mut self, content: &[u8]) -> bool {
        let step = (content.len() / PIECES).max(PIECE_BYTES);
        let mut pieces = content.chunks(step).map(|part| &part[..part.len().min(PIECE_BYTES)]);
        pieces.any(|piece| self.saves(piece)) || self.saves(content)
    }

    fn saves(&mut self, content: &[u8]) -> bool {
        let most = content.len() - content.len() / 50;
        self.buffer.resize(most.max(self.buffer.len()), 0);
        self.trial.deflate_compress(content, &mut self.buffer[..most]).is_ok()
    }
}

fn deflated(content: &[u8], bytes: Vec<u8>) -> Deflated {
    let mut crc = Hasher::new();
    crc.update(content);
    Deflated { bytes, crc, unpacked: content.len() as u64 }
}

/// Stores the content in blocks. None of them is the last of its stream (RFC 1951, 3.2.4).
fn store(content: &[u8], to: &mut Vec<u8>) {
    to.clear();
    for part in content.chunks(STORED_BYTES) {
        // `chunks` cuts no longer parts.
        let length = part.len() as u16;
        to.push(0);
        to.extend(length.to_le_bytes());
        to.extend((!length).to_le_bytes());
        to.extend(part);
    }
}
