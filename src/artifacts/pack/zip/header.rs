//! The headers of an entry: the local header, the descriptor and the record in the central directory.

use std::io;

/// 1980-02-01. The format begins with 1980-01-01, which a reader west of the writer reads as a day in 1979.
pub(super) const DATE: u16 = 2 << 5 | 1;
pub(super) const TIME: u16 = 0;
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
pub(super) const IS_UTF8: u16 = 1 << 11;
/// Made on Unix by version 3.0 of the format, so readers interpret the attributes as a Unix mode.
pub(super) const MADE_BY: u16 = 3 << 8 | 30;
const NEEDS_2_0: u16 = 20;
pub(super) const NEEDS_ZIP64: u16 = 45;
/// The MS-DOS attribute of a folder.
pub(super) const DOS_FOLDER: u32 = 0x10;
const ZIP64_FIELD: u16 = 1;
/// The content of a 32-bit field whose value is in a Zip64 field.
pub(super) const IN_ZIP64: u64 = u32::MAX as u64;

/// The values in an entry's headers.
pub(super) struct EntryHeader<'n> {
    name: &'n [u8],
    name_length: u16,
    pub(super) flags: u16,
    method: u16,
    attributes: u32,
    /// Where the local header begins.
    offset: u64,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
}

impl<'n> EntryHeader<'n> {
    pub(super) fn new(name: &'n str, method: u16, attributes: u32, offset: u64) -> io::Result<Self> {
        let flags = if name.is_ascii() { 0 } else { IS_UTF8 };
        let name = name.as_bytes();
        let name_length = u16::try_from(name.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(Self { name, name_length, flags, method, attributes, offset, crc: 0, packed: 0, unpacked: 0 })
    }

    pub(super) fn local(&self, zip64: bool) -> Vec<u8> {
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

    pub(super) fn descriptor(&self) -> Vec<u8> {
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

    pub(super) fn write_to_directory(&self, to: &mut Vec<u8>) {
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
        // No comment, disk 0, no internal attributes.
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

pub(super) fn put16(to: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}

/// Appends 32-bit fields. A value of more than 32 bits becomes the mark that its Zip64 field holds it.
pub(super) fn put32(to: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| to.extend(u32::try_from(*value).unwrap_or(u32::MAX).to_le_bytes()));
}
