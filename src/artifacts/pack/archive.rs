//! Writes the bytes of a zip archive (APPNOTE 6.3.10) as a stream.
//!
//! All readers understand every entry, from the archive's start and from its central directory.
//!
//! A file is deflated. A descriptor behind the data has its sizes and checksum. Java's `ZipInputStream` takes a descriptor
//! only from a deflated entry.
//!
//! A link is stored, as Info-ZIP stores it, and a folder is empty. The local header has their sizes.
//!
//! A name is UTF-8. A flag says so unless it is ASCII. `\` and `:` are ordinary characters.
//!
//! A descriptor has 64-bit sizes if a size needs them. Java distinguishes the two forms by the size. libarchive reads the
//! local header, which therefore announces 64-bit sizes for a large file.

use std::io::{self, Write};

use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// 1980-02-01. The format begins with 1980-01-01, which is in 1979 for a reader west of the writer.
const DATE: u16 = 2 << 5 | 1;
const TIME: u16 = 0;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const HAS_DESCRIPTOR: u16 = 1 << 3;
const IS_UTF8: u16 = 1 << 11;
/// Made on a Unix by version 3.0 of the format, so that readers take the attributes for a Unix mode.
const MADE_BY: u16 = 3 << 8 | 30;
const NEEDS_2_0: u16 = 20;
const NEEDS_ZIP64: u16 = 45;
/// The MS-DOS attribute of a folder.
const DOS_FOLDER: u32 = 0x10;
const ZIP64_FIELD: u16 = 1;
/// The content of a 32-bit field whose value is in a Zip64 field.
const IN_ZIP64: u64 = u32::MAX as u64;

/// An archive that is being written.
pub(super) struct Archive<W> {
    to: Counted<W>,
    /// The central directory so far.
    directory: Vec<u8>,
    entries: u64,
}

struct Counted<W> {
    to: W,
    count: u64,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to: Counted { to, count: 0 }, directory: Vec::new(), entries: 0 }
    }

    /// Writes a folder, whose name ends with `/`.
    pub(super) fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        self.whole(name, mode, DOS_FOLDER, &[])
    }

    /// Writes a symbolic link.
    pub(super) fn link(&mut self, name: &str, mode: u32, target: &[u8]) -> io::Result<()> {
        self.whole(name, mode, 0, target)
    }

    fn whole(&mut self, name: &str, mode: u32, dos: u32, content: &[u8]) -> io::Result<()> {
        let mut entry = Entry::new(name, STORED, mode << 16 | dos, self.to.count)?;
        entry.crc = crc32fast::hash(content);
        (entry.packed, entry.unpacked) = (content.len() as u64, content.len() as u64);
        self.to.write_all(&entry.local_header(false))?;
        self.to.write_all(content)?;
        self.list(&entry);
        Ok(())
    }

    /// Writes a file of about `expected` bytes, whose content `write` writes. Returns its size.
    pub(super) fn file(
        &mut self,
        name: &str,
        mode: u32,
        expected: u64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<u64> {
        let mut entry = Entry::new(name, DEFLATED, mode << 16, self.to.count)?;
        entry.flags |= HAS_DESCRIPTOR;
        self.to.write_all(&entry.local_header(expected > IN_ZIP64))?;
        let begin = self.to.count;
        (entry.crc, entry.unpacked) = deflate(&mut self.to, write)?;
        entry.packed = self.to.count - begin;
        self.to.write_all(&entry.descriptor())?;
        self.list(&entry);
        Ok(entry.unpacked)
    }

    fn list(&mut self, entry: &Entry<'_>) {
        entry.write_to_directory(&mut self.directory);
        self.entries += 1;
    }

    /// Writes the central directory.
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

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Deflates what `write` writes. Returns its checksum and its size.
fn deflate(to: &mut impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<(u32, u64)> {
    let encoder = DeflateEncoder::new(to, Compression::default());
    let mut content = Content { encoder, crc: Hasher::new(), size: 0 };
    write(&mut content)?;
    content.encoder.finish()?;
    Ok((content.crc.finalize(), content.size))
}

/// Deflates what is written to it, and counts it.
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

/// The fields of an entry's headers.
struct Entry<'n> {
    name: &'n [u8],
    name_length: u16,
    flags: u16,
    method: u16,
    attributes: u32,
    /// Where its local header begins.
    offset: u64,
    crc: u32,
    packed: u64,
    unpacked: u64,
}

impl<'n> Entry<'n> {
    fn new(name: &'n str, method: u16, attributes: u32, offset: u64) -> io::Result<Self> {
        let flags = if name.is_ascii() { 0 } else { IS_UTF8 };
        let name = name.as_bytes();
        let name_length = u16::try_from(name.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(Self { name, name_length, flags, method, attributes, offset, crc: 0, packed: 0, unpacked: 0 })
    }

    fn local_header(&self, zip64: bool) -> Vec<u8> {
        let mut header = b"PK\x03\x04".to_vec();
        let needed = if zip64 { NEEDS_ZIP64 } else { NEEDS_2_0 };
        put16(&mut header, &[needed, self.flags, self.method, TIME, DATE]);
        header.extend(self.crc.to_le_bytes());
        put32(&mut header, &if zip64 { [IN_ZIP64; 2] } else { [self.packed, self.unpacked] });
        put16(&mut header, &[self.name_length, if zip64 { 20 } else { 0 }]);
        header.extend(self.name);
        if zip64 {
            put16(&mut header, &[ZIP64_FIELD, 16]);
            header.extend([0; 16]);
        }
        header
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut descriptor = b"PK\x07\x08".to_vec();
        descriptor.extend(self.crc.to_le_bytes());
        if self.packed > IN_ZIP64 || self.unpacked > IN_ZIP64 {
            descriptor.extend(self.packed.to_le_bytes());
            descriptor.extend(self.unpacked.to_le_bytes());
        } else {
            put32(&mut descriptor, &[self.packed, self.unpacked]);
        }
        descriptor
    }

    fn write_to_directory(&self, to: &mut Vec<u8>) {
        let large: Vec<u8> = [self.unpacked, self.packed, self.offset]
            .into_iter()
            .filter(|value| *value >= IN_ZIP64)
            .flat_map(u64::to_le_bytes)
            .collect();
        // At most three values.
        let large_length = large.len() as u16;
        let (needed, extra_length) = if large.is_empty() { (NEEDS_2_0, 0) } else { (NEEDS_ZIP64, 4 + large_length) };
        to.extend(b"PK\x01\x02");
        put16(to, &[MADE_BY, needed, self.flags, self.method, TIME, DATE]);
        to.extend(self.crc.to_le_bytes());
        put32(to, &[self.packed, self.unpacked]);
        // No comment, on the first disk, of no particular content.
        put16(to, &[self.name_length, extra_length, 0, 0, 0]);
        to.extend(self.attributes.to_le_bytes());
        put32(to, &[self.offset]);
        to.extend(self.name);
        if !large.is_empty() {
            put16(to, &[ZIP64_FIELD, large_length]);
            to.extend(large);
        }
    }
}

fn put16(to: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}

/// Values that are too large for 32 bits say that a Zip64 field has them.
fn put32(to: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| to.extend(u32::try_from(*value).unwrap_or(u32::MAX).to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u16_at(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes([bytes[at], bytes[at + 1]])
    }

    #[test]
    fn only_deflated_entries_have_a_descriptor() {
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.folder("d/", 0o040_755).unwrap();
        archive.link("d/l", 0o120_777, b"target").unwrap();
        archive.file("d/\u{e4}:\\", 0o100_644, 7, |to| to.write_all(b"content")).unwrap();
        archive.finish().unwrap();
        // The flags, the method and the packed size of each local header, one behind the other.
        let mut at = 0;
        let mut found = Vec::new();
        while bytes[at..].starts_with(b"PK\x03\x04") {
            let header = &bytes[at..];
            let (flags, method, packed) = (u16_at(header, 6), u16_at(header, 8), u16_at(header, 18));
            found.push((flags, method, packed));
            assert_eq!((u16_at(header, 10), u16_at(header, 12)), (TIME, DATE));
            at += 30 + usize::from(u16_at(header, 26)) + usize::from(packed);
        }
        assert_eq!(found, [(0, STORED, 0), (0, STORED, 6), (HAS_DESCRIPTOR | IS_UTF8, DEFLATED, 0)]);
    }

    #[test]
    fn descriptors_have_64_bit_sizes_when_one_needs_them() {
        let mut entry = Entry::new("a", DEFLATED, 0, 0).unwrap();
        entry.unpacked = IN_ZIP64;
        assert_eq!(entry.descriptor().len(), 16);
        entry.unpacked = IN_ZIP64 + 1;
        assert_eq!(entry.descriptor().len(), 24);
        assert_eq!((entry.local_header(false).len(), entry.local_header(true).len()), (31, 51));
    }

    #[test]
    fn sizes_and_offsets_beyond_32_bits_are_read_back() {
        let sizes = [7, IN_ZIP64 - 1, IN_ZIP64, 5 << 30];
        for (unpacked, packed, offset) in sizes.into_iter().flat_map(|size| [(size, 7, 7), (7, size, 7), (7, 7, size)])
        {
            let mut entry = Entry::new("a", DEFLATED, 0, offset).unwrap();
            (entry.unpacked, entry.packed) = (unpacked, packed);
            let mut bytes = Vec::new();
            let mut archive = Archive::new(&mut bytes);
            archive.list(&entry);
            archive.finish().unwrap();
            let archive = rawzip::ZipArchive::from_slice(&bytes).unwrap();
            let read = archive.entries().next_entry().unwrap().unwrap();
            let found = (read.uncompressed_size_hint(), read.compressed_size_hint(), read.local_header_offset());
            assert_eq!(found, (unpacked, packed, offset));
        }
    }

    #[test]
    fn more_entries_than_classic_zip_counts_are_read_back() {
        for count in [65_534, 65_535, 65_536, 70_000] {
            let mut bytes = Vec::new();
            let mut archive = Archive::new(&mut bytes);
            (0..count).for_each(|number| archive.folder(&format!("{number}/"), 0o040_755).unwrap());
            archive.finish().unwrap();
            let archive = ::zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
            assert_eq!(archive.len(), count);
        }
    }
}
