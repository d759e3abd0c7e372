//! The content of an entry, unpacked and checked.

use std::io::{self, BufReader, ErrorKind, Read};

use bzip2::read::BzDecoder;
use crc32fast::Hasher;
use deflate64::Deflate64Decoder;
use flate2::read::DeflateDecoder;
use rawzip::CompressionMethod;

use super::super::super::error::Problem;
use super::super::super::links::{MAX_TARGET_BYTES, checked_target};
use super::index::Entry;
use super::refused;

/// The unpacked bytes. The checksum is compared at the end. Like unzip, does not compare the size: writers without Zip64 only
/// store the lower 32 bits of a size over 4 GiB.
pub(super) struct Content<R> {
    packed: Packed<R>,
    hasher: Hasher,
    checksum: u32,
}

enum Packed<R> {
    Stored(R),
    Deflated(DeflateDecoder<R>),
    Deflated64(Deflate64Decoder<BufReader<R>>),
    Bzipped(BzDecoder<R>),
}

/// Whether the worker supports this compression method. It supports those of Debian's unzip. Windows Explorer uses Deflate64
/// for files of more than 2 GB.
pub(super) fn is_supported(method: CompressionMethod) -> bool {
    use CompressionMethod as Method;
    [Method::STORE, Method::DEFLATE, Method::DEFLATE64, Method::BZIP2].contains(&method)
}

impl<R: Read> Content<R> {
    pub(super) fn of(entry: &Entry, from: R) -> Self {
        let packed = match entry.method {
            CompressionMethod::DEFLATE => Packed::Deflated(DeflateDecoder::new(from)),
            CompressionMethod::DEFLATE64 => Packed::Deflated64(Deflate64Decoder::new(from)),
            CompressionMethod::BZIP2 => Packed::Bzipped(BzDecoder::new(from)),
            _ => Packed::Stored(from),
        };
        Self { packed, hasher: Hasher::new(), checksum: entry.checksum }
    }

    /// Reads all of it as the target of the link at `path`.
    pub(super) fn into_target(mut self, path: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut target = Vec::new();
        let read = (&mut self).take(MAX_TARGET_BYTES as u64 + 1).read_to_end(&mut target);
        read.map_err(|error| Problem::inside(&error, |error| unreadable_content(path, error)))?;
        checked_target(path, target)
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.packed {
            Packed::Stored(reader) => reader.read(buffer),
            Packed::Deflated(reader) => reader.read(buffer),
            Packed::Deflated64(reader) => reader.read(buffer),
            Packed::Bzipped(reader) => reader.read(buffer),
        }?;
        self.hasher.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.hasher.clone().finalize() != self.checksum {
            return Err(io::Error::new(ErrorKind::InvalidData, WrongChecksum));
        }
        Ok(count)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("wrong checksum")]
struct WrongChecksum;

/// The problem behind an error of reading an entry's content.
pub(super) fn unreadable_content(path: &[u8], error: &io::Error) -> Problem {
    if error.get_ref().is_some_and(|inner| inner.downcast_ref::<WrongChecksum>().is_some()) {
        return refused(path, "does not match its checksum: the archive is damaged");
    }
    refused(path, "is truncated, or its compressed data is damaged")
}
