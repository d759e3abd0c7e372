//! Writes the bytes of a zip archive (APPNOTE 6.3.10) as a stream.
//!
//! Every reader understands every entry, whether it starts at the archive's beginning or at its central directory.
//!
//! - A file is deflated. A descriptor after the data holds its sizes and its checksum. Java's `ZipInputStream` accepts a
//!   descriptor only after a deflated entry.
//! - A link is stored, as Info-ZIP stores it. A folder is empty. Their sizes are in the local header.
//! - A name is UTF-8. A flag says so unless the name is ASCII. `\` and `:` are ordinary characters.
//! - A descriptor has 64-bit sizes if a size needs them. Java infers the form from the size. libarchive reads the local
//!   header, so the local header of a large file announces 64-bit sizes.

use std::io::{self, Write};

use crc32fast::Hasher;

use header::{DEFLATED, DOS_FOLDER, EntryHeader, HAS_DESCRIPTOR, IN_ZIP64, MADE_BY, NEEDS_ZIP64, STORED, put16, put32};

pub(super) use deflate::{BLOCK_BYTES, Deflated, Deflater, WINDOW_BYTES};

mod deflate;
mod header;
mod joinable;

/// An empty last block of a deflated stream, which ends a file that was cut into blocks.
const END_OF_BLOCKS: [u8; 2] = [3, 0];

/// A zip archive that is being written.
pub(super) struct Archive<W> {
    to: CountingWriter<W>,
    /// The central directory so far.
    directory: Vec<u8>,
    entries: u64,
}

struct CountingWriter<W> {
    to: W,
    count: u64,
}

/// A file whose content is not complete yet.
pub(super) struct Unfinished<'n> {
    header: EntryHeader<'n>,
    crc: Hasher,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to: CountingWriter { to, count: 0 }, directory: Vec::new(), entries: 0 }
    }

    /// Writes a folder. Its name ends with `/`.
    pub(super) fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        self.stored(name, mode, DOS_FOLDER, &[])
    }

    /// Writes a symbolic link.
    pub(super) fn link(&mut self, name: &str, mode: u32, target: &[u8]) -> io::Result<()> {
        self.stored(name, mode, 0, target)
    }

    fn stored(&mut self, name: &str, mode: u32, dos: u32, content: &[u8]) -> io::Result<()> {
        let mut header = EntryHeader::new(name, STORED, mode << 16 | dos, self.to.count)?;
        header.crc = crc32fast::hash(content);
        (header.packed, header.unpacked) = (content.len() as u64, content.len() as u64);
        self.to.write_all(&header.local(false))?;
        self.to.write_all(content)?;
        self.list(&header);
        Ok(())
    }

    /// Writes a file that was deflated whole.
    pub(super) fn file(&mut self, name: &str, mode: u32, content: &Deflated) -> io::Result<()> {
        let mut file = self.begin(name, mode, content.unpacked)?;
        self.append(&mut file, content)?;
        self.end(file)
    }

    /// Begins a file of about `expected` bytes, which is appended block by block.
    pub(super) fn begin<'n>(&mut self, name: &'n str, mode: u32, expected: u64) -> io::Result<Unfinished<'n>> {
        let mut header = EntryHeader::new(name, DEFLATED, mode << 16, self.to.count)?;
        header.flags |= HAS_DESCRIPTOR;
        self.to.write_all(&header.local(expected > IN_ZIP64))?;
        Ok(Unfinished { header, crc: Hasher::new() })
    }

    /// Appends a block to a file.
    pub(super) fn append(&mut self, file: &mut Unfinished<'_>, content: &Deflated) -> io::Result<()> {
        self.to.write_all(&content.bytes)?;
        file.crc.combine(&content.crc);
        file.header.packed += content.bytes.len() as u64;
        file.header.unpacked += content.unpacked;
        Ok(())
    }

    /// Ends a file that was appended block by block. Returns its size.
    pub(super) fn end_blocks(&mut self, mut file: Unfinished<'_>) -> io::Result<u64> {
        self.to.write_all(&END_OF_BLOCKS)?;
        file.header.packed += END_OF_BLOCKS.len() as u64;
        let size = file.header.unpacked;
        self.end(file).map(|()| size)
    }

    fn end(&mut self, file: Unfinished<'_>) -> io::Result<()> {
        let Unfinished { mut header, crc } = file;
        header.crc = crc.finalize();
        self.to.write_all(&header.descriptor())?;
        self.list(&header);
        Ok(())
    }

    fn list(&mut self, header: &EntryHeader<'_>) {
        header.write_to_directory(&mut self.directory);
        self.entries += 1;
    }

    /// Writes the central directory and the end of the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let (begin, size) = (self.to.count, self.directory.len() as u64);
        self.to.write_all(&self.directory)?;
        let zip64_end = self.to.count;
        let mut end = Vec::new();
        if self.entries >= u64::from(u16::MAX) || size >= IN_ZIP64 || begin >= IN_ZIP64 {
            end.extend(b"PK\x06\x06");
            end.extend(44_u64.to_le_bytes());
            put16(&mut end, &[MADE_BY, NEEDS_ZIP64]);
            end.extend([0; 8]);
            for value in [self.entries, self.entries, size, begin] {
                end.extend(value.to_le_bytes());
            }
            end.extend(b"PK\x06\x07\0\0\0\0");
            end.extend(zip64_end.to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        end.extend(b"PK\x05\x06\0\0\0\0");
        let entries = u16::try_from(self.entries).unwrap_or(u16::MAX);
        put16(&mut end, &[entries, entries]);
        put32(&mut end, &[size, begin]);
        put16(&mut end, &[0]);
        self.to.write_all(&end)?;
        self.to.flush()
    }
}

impl<W: Write> Write for CountingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests;
