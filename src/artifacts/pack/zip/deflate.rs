//! Deflates the content of files, whole or in blocks.
//!
//! A file of less than [`BLOCK_BYTES`] is one stream of `libdeflate`. A longer file is cut into blocks, which several threads
//! deflate. Each block is such a stream, whose end is then opened, so the blocks make up one stream.
//!
//! `libdeflate` can't refer to the block before. A block of repetitions would therefore have each of them once more. So
//! `zlib-rs` deflates it again, and refers to the last [`WINDOW_BYTES`] before it.
//!
//! A block that does not compress is stored within the stream. Trials with a fast level find such a block.

use std::io;

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use libdeflater::{CompressionLvl, Compressor};

use super::joinable::open_end;

/// The length of a block. Blocks of twice this length would be 0.4 % shorter, and take twice the memory.
pub(in super::super) const BLOCK_BYTES: usize = 512 * 1024;
/// How far back a deflated stream refers.
pub(in super::super) const WINDOW_BYTES: usize = 32 * 1024;

/// `libdeflate`'s level for whole files. Source files of public projects are 2.6 to 3.2 % longer than at zlib's level 6. With level
/// 5 they would be 0.5 to 0.9 % longer, and take 14 to 20 % more time.
const LEVEL: u8 = 4;
/// The level for blocks. A block begins without anything to refer to, and this level makes up for it. Text is 0.4 % longer than at
/// zlib's level 6, and a program is 3.3 % shorter. At level 5, random words would be 5.2 % longer.
const BLOCK_LEVEL: u8 = 6;
/// A block that shrinks to this part or less is one of repetitions.
const REPETITIVE: usize = 8;
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
    blocks: Compressor,
    trial: Compressor,
    buffer: Vec<u8>,
}

impl Deflater {
    pub(in super::super) fn new() -> Self {
        // Rust's own allocation comes first and is the largest, so a process without memory aborts here. `libdeflater` would panic.
        let buffer = Vec::with_capacity(2 * BLOCK_BYTES);
        let level = |level: u8| Compressor::new(CompressionLvl::new(level.into()).unwrap_or_default());
        Self { whole: level(LEVEL), blocks: level(BLOCK_LEVEL), trial: level(TRIAL_LEVEL), buffer }
    }

    /// Deflates a whole file.
    pub(in super::super) fn whole(&mut self, content: &[u8]) -> io::Result<Deflated> {
        let most = self.whole.deflate_compress_bound(content.len());
        self.buffer.resize(most.max(self.buffer.len()), 0);
        let length = self.whole.deflate_compress(content, &mut self.buffer).map_err(io::Error::other)?;
        Ok(deflated(content, self.buffer[..length].to_vec()))
    }

    /// Deflates a block that follows `before` into `to`. Another block can follow it.
    pub(in super::super) fn block(&mut self, before: &[u8], content: &[u8], mut to: Vec<u8>) -> io::Result<Deflated> {
        if !self.compresses(content) || !self.deflate_block(content, &mut to) {
            store(content, &mut to);
        } else if to.len() <= content.len() / REPETITIVE
            && !before.is_empty()
            && let Some(shorter) = deflate_after(before, content, to.len())?
        {
            to.clear();
            to.extend(shorter);
        }
        Ok(deflated(content, to))
    }

    /// Returns whether the result is shorter than the content.
    fn deflate_block(&mut self, content: &[u8], to: &mut Vec<u8>) -> bool {
        to.resize(content.len() - 1, 0);
        let Ok(length) = self.blocks.deflate_compress(content, to) else { return false };
        to.truncate(length);
        let opened = open_end(to);
        debug_assert!(opened.is_some(), "libdeflate writes whole streams");
        opened.is_some()
    }

    /// Whether a fast level saves 2 % or more: of one of four pieces of the block, or else of the whole block.
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

/// Deflates a block that may repeat the bytes before it. Returns `None` unless the result is shorter than `limit`.
fn deflate_after(before: &[u8], content: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
    // A reset compressor still has the previous block in memory. `zlib-rs` hashes a byte of it with the end of a dictionary. The
    // result would depend on which thread got which block.
    let mut stream = Compress::new(Compression::new(BLOCK_LEVEL.into()), false);
    stream.set_dictionary(before)?;
    let mut to = vec![0; limit];
    stream.compress(content, &mut to, FlushCompress::Sync)?;
    let (read, written) = (stream.total_in(), stream.total_out() as usize);
    to.truncate(written);
    // A full buffer may lack the end.
    Ok((read == content.len() as u64 && written < limit).then_some(to))
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
