//! Unpacks a small entry whole, in memory that later entries use again.

use libdeflater::Decompressor;
use rawzip::CompressionMethod;

use super::index::Entry;

/// The limit for the content of a small entry. The directory may claim any size, so memory is only allocated up to here.
/// While fuzzing, inputs exceed it.
pub(in super::super) const MAX_WHOLE_BYTES: u64 = if cfg!(fuzzing) { 1024 } else { 2 * 1024 * 1024 };

/// Unpacks small entries. Each thread has its own.
pub(super) struct Unpacker {
    decompressor: Decompressor,
    buffer: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self { decompressor: Decompressor::new(), buffer: Vec::new() }
    }

    /// The content of an entry with the compressed data `packed`.
    ///
    /// Returns `None` if the content is large, has another method, does not fit in the size that the directory claims, or does
    /// not match its checksum. The caller then unpacks it as a stream, which finds out what is wrong.
    pub(super) fn content<'a>(&'a mut self, entry: &Entry, packed: &'a [u8]) -> Option<&'a [u8]> {
        let content = match entry.method {
            CompressionMethod::STORE => packed,
            CompressionMethod::DEFLATE => self.inflated(entry.wayfinder.uncompressed_size_hint(), packed)?,
            _ => return None,
        };
        (crc32fast::hash(content) == entry.checksum).then_some(content)
    }

    fn inflated(&mut self, claimed: u64, packed: &[u8]) -> Option<&[u8]> {
        let size = usize::try_from(claimed).ok().filter(|_| claimed <= MAX_WHOLE_BYTES)?;
        if self.buffer.len() < size {
            self.buffer.resize(size.next_power_of_two(), 0);
        }
        let count = self.decompressor.deflate_decompress(packed, &mut self.buffer[..size]).ok()?;
        self.buffer.get(..count)
    }
}
