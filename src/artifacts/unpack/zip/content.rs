//! The content of an entry, unpacked and checked.

use std::io::{self, BufReader, ErrorKind, Read};

use bzip2::read::BzDecoder;
use crc32fast::Hasher;
use deflate64::Deflate64Decoder;
use flate2::read::DeflateDecoder;
use rawzip::CompressionMethod;

use super::super::super::error::Problem;
use super::super::super::links::{LONGEST_TARGET, checked_target};
use super::index::Entry;
use super::refused;

/// The unpacked bytes. Their checksum is compared at their end. The size that the archive claims is not: above 4 GiB, writers
/// without Zip64 claim what is left of it in 32 bits, and unzip does not mind.
pub(super) struct Content<R> {
    packed: Packed<R>,
    so_far: Hasher,
    checksum: u32,
}

enum Packed<R> {
    Stored(R),
    Deflated(DeflateDecoder<R>),
    Deflated64(Deflate64Decoder<BufReader<R>>),
    Bzipped(BzDecoder<R>),
}

/// Whether the worker unpacks this method: those that Debian's unzip does. Windows Explorer uses Deflate64 for files of more
/// than 2 GB.
pub(super) fn is_known(method: CompressionMethod) -> bool {
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
        Self { packed, so_far: Hasher::new(), checksum: entry.checksum }
    }

    /// All of it, as the target of the link at `path`.
    pub(super) fn into_target(mut self, path: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut target = Vec::new();
        let read = (&mut self).take(LONGEST_TARGET as u64 + 1).read_to_end(&mut target);
        read.map_err(|error| Problem::inside(&error, |error| broken_content(path, error)))?;
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
        self.so_far.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.so_far.clone().finalize() != self.checksum {
            return Err(io::Error::new(ErrorKind::InvalidData, WrongChecksum));
        }
        Ok(count)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("wrong checksum")]
struct WrongChecksum;

/// The problem that an error of reading an entry's content stands for.
pub(super) fn broken_content(path: &[u8], error: &io::Error) -> Problem {
    if error.get_ref().is_some_and(|inner| inner.downcast_ref::<WrongChecksum>().is_some()) {
        return refused(path, "does not match its checksum: the archive is damaged");
    }
    refused(path, "is truncated, or its compressed data is damaged")
}
