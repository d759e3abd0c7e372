//! Zip archives (APPNOTE 6.3.10). Any field may be wrong.

use std::io::Write;

use arbitrary::Arbitrary;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::damage::{Content, Damage, overwrite};
use crate::names::Name;

#[derive(Arbitrary, Debug)]
pub struct Zip<'a> {
    prefix: u8,
    entries: Vec<Entry<'a>>,
    zip64: bool,
    claims: Option<u16>,
    comment: &'a [u8],
    end_overwrites: Vec<(u8, u32)>,
    damage: Damage,
}

#[derive(Arbitrary, Debug)]
struct Entry<'a> {
    name: Name<'a>,
    local_name: Option<Name<'a>>,
    kind: Kind<'a>,
    mode: u16,
    made_by: MadeBy,
    packing: Packing,
    /// Uses another entry's local header.
    shares_header_of: Option<u8>,
    extra: Option<&'a [u8]>,
    local_overwrites: Option<[(u8, u32); 2]>,
    directory_overwrites: Option<[(u8, u32); 2]>,
}

#[derive(Arbitrary, Debug)]
enum Kind<'a> {
    File(Content<'a>),
    Folder,
    Link(Name<'a>),
    Other(u16, &'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum MadeBy {
    Unix,
    Dos,
    Any(u16),
}

#[derive(Arbitrary, Debug)]
enum Packing {
    Stored,
    Deflated,
    /// With sizes and checksum after the data.
    WithDescriptor,
    Encrypted,
    Any(u16),
}

impl Zip<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut archive = vec![b'#'; usize::from(self.prefix) / 16];
        let mut directory = Vec::new();
        let mut offsets = Vec::new();
        let count = self.entries.len().min(64);
        for entry in &self.entries[..count] {
            entry.write(&mut archive, &mut directory, &mut offsets);
        }
        let begin = archive.len();
        archive.extend(&directory);
        let claims = self.claims.unwrap_or(count as u16);
        if self.zip64 {
            self.write_zip64_end(&mut archive, begin, directory.len(), claims);
        }
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        let comment = &self.comment[..self.comment.len().min(64)];
        end.extend(claims.to_le_bytes());
        end.extend(claims.to_le_bytes());
        end.extend((directory.len() as u32).to_le_bytes());
        end.extend(if self.zip64 { u32::MAX } else { begin as u32 }.to_le_bytes());
        end.extend((comment.len() as u16).to_le_bytes());
        overwrite(&mut end, &self.end_overwrites);
        archive.extend(end);
        archive.extend(comment);
        self.damage.apply(&mut archive);
        archive
    }

    fn write_zip64_end(&self, archive: &mut Vec<u8>, begin: usize, size: usize, claims: u16) {
        let offset = archive.len() as u64;
        let mut end = b"PK\x06\x06".to_vec();
        end.extend(44_u64.to_le_bytes());
        end.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for word in [u64::from(claims), u64::from(claims), size as u64, begin as u64] {
            end.extend(word.to_le_bytes());
        }
        overwrite(&mut end, &self.end_overwrites);
        archive.extend(end);
        archive.extend(b"PK\x06\x07\0\0\0\0");
        archive.extend(offset.to_le_bytes());
        archive.extend(1_u32.to_le_bytes());
    }
}

impl Entry<'_> {
    fn write(&self, archive: &mut Vec<u8>, directory: &mut Vec<u8>, offsets: &mut Vec<usize>) {
        let name = self.name.bytes();
        let (file_type, content) = match &self.kind {
            Kind::File(content) => (0o100_000, content.bytes(archive)),
            Kind::Folder => (0o040_000, Vec::new()),
            Kind::Link(target) => (0o120_000, target.bytes()),
            Kind::Other(kind, content) => (kind & 0o170_000, content.to_vec()),
        };
        let mode = file_type | (self.mode & 0o7777);
        let (method, flags, packed) = match self.packing {
            Packing::Stored => (0, 0x800, content.clone()),
            Packing::Deflated => (8, 0x800, deflated(&content)),
            Packing::WithDescriptor => (8, 0x808, deflated(&content)),
            Packing::Encrypted => (0, 0x801, content.clone()),
            Packing::Any(method) => (method, 0x800, content.clone()),
        };
        let made_by: u16 = match self.made_by {
            MadeBy::Unix => 0x031e,
            MadeBy::Dos => 0x0014,
            MadeBy::Any(made_by) => made_by,
        };
        let extra = self.extra.map_or(&[][..], |extra| &extra[..extra.len().min(64)]);
        let (crc, size) = (crc32fast::hash(&content), content.len() as u32);
        let sizes = [crc, packed.len() as u32, size];

        let own_offset = archive.len();
        let shared = self.shares_header_of.and_then(|at| offsets.get(usize::from(at) % offsets.len().max(1)).copied());
        offsets.push(shared.unwrap_or(own_offset));
        if shared.is_none() {
            let local_name = self.local_name.as_ref().map_or_else(|| name.clone(), Name::bytes);
            let mut header = b"PK\x03\x04".to_vec();
            put16(&mut header, &[20, flags, method, 0, 33]);
            put32(&mut header, &if flags & 8 == 0 { sizes } else { [0; 3] });
            put16(&mut header, &[local_name.len() as u16, extra.len() as u16]);
            overwrite(&mut header, self.local_overwrites.as_ref().map_or(&[], |values| &values[..]));
            archive.extend(header);
            archive.extend(local_name);
            archive.extend(extra);
            archive.extend(&packed);
            if flags & 8 != 0 {
                archive.extend(b"PK\x07\x08");
                put32(archive, &sizes);
            }
        }

        let mut header = b"PK\x01\x02".to_vec();
        put16(&mut header, &[made_by, 20, flags, method, 0, 33]);
        put32(&mut header, &sizes);
        put16(&mut header, &[name.len() as u16, extra.len() as u16, 0, 0, 0]);
        put32(&mut header, &[u32::from(mode) << 16, shared.unwrap_or(own_offset) as u32]);
        overwrite(&mut header, self.directory_overwrites.as_ref().map_or(&[], |values| &values[..]));
        directory.extend(header);
        directory.extend(&name);
        directory.extend(extra);
    }
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("writing to memory succeeds");
    encoder.finish().expect("writing to memory succeeds")
}

fn put16(to: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}

fn put32(to: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}
