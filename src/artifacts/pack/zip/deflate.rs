//! Deflates the content of one file.

use std::io::{self, Write};

use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Deflates the bytes that `write` writes. Returns their checksum and their number.
pub(super) fn deflate(
    to: &mut impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u32, u64)> {
    let encoder = DeflateEncoder::new(to, Compression::default());
    let mut content = Content { encoder, crc: Hasher::new(), size: 0 };
    write(&mut content)?;
    content.encoder.finish()?;
    Ok((content.crc.finalize(), content.size))
}

/// Deflates the bytes written to it, and counts them.
struct Content<W: Write> {
    encoder: DeflateEncoder<W>,
    crc: Hasher,
    size: u64,
}

impl<W: Write> Write for Content<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.encoder.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}
