//! Crafts zip archives. Any field can be wrong.

/// An entry. A test can set each field to a wrong value.
#[derive(Clone, Debug)]
pub(super) struct Crafted {
    pub(super) name: Vec<u8>,
    pub(super) local_name: Option<Vec<u8>>,
    pub(super) body: Vec<u8>,
    pub(super) method: u16,
    pub(super) local_method: Option<u16>,
    pub(super) flags: u16,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) unpacked: u32,
    pub(super) local_packed: Option<u32>,
    pub(super) local_flags: Option<u16>,
    /// "Version made by": 0x03__ is Unix, 0x00__ is DOS.
    pub(super) made_by: u16,
    pub(super) attributes: u32,
    pub(super) offset: Option<u32>,
    /// The extra fields in the central directory, and in the local header.
    pub(super) extra: Vec<u8>,
    pub(super) local_extra: Vec<u8>,
}

/// A stored regular file with mode 0644, written on Unix.
pub(super) fn file(name: impl AsRef<[u8]>, content: &[u8]) -> Crafted {
    let size = u32::try_from(content.len()).unwrap();
    Crafted {
        name: name.as_ref().to_vec(),
        local_name: None,
        body: content.to_vec(),
        method: 0,
        local_method: None,
        flags: 0,
        crc: crc32fast::hash(content),
        packed: size,
        unpacked: size,
        local_packed: None,
        local_flags: None,
        made_by: 0x031e,
        attributes: 0o100_644 << 16,
        offset: None,
        extra: Vec::new(),
        local_extra: Vec::new(),
    }
}

pub(super) fn folder(name: &str) -> Crafted {
    Crafted { attributes: 0o040_755 << 16, ..file(name, b"") }
}

pub(super) fn link(name: &str, target: &str) -> Crafted {
    Crafted { attributes: 0o120_777 << 16, ..file(name, target.as_bytes()) }
}

pub(super) fn deflated(name: &str, content: &[u8]) -> Crafted {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    let body = encoder.finish().unwrap();
    let packed = u32::try_from(body.len()).unwrap();
    Crafted { method: 8, packed, body, ..file(name, content) }
}

pub(super) fn zip(entries: &[Crafted]) -> Vec<u8> {
    zip_that_claims(entries, u16::try_from(entries.len()).unwrap())
}

pub(super) fn zip_that_claims(entries: &[Crafted], count: u16) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or_else(|| u32::try_from(archive.len()).unwrap());
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        archive.extend(b"PK\x03\x04");
        for half in [20, entry.local_flags.unwrap_or(entry.flags), entry.local_method.unwrap_or(entry.method), 0, 33] {
            archive.extend(half.to_le_bytes());
        }
        for word in [entry.crc, entry.local_packed.unwrap_or(entry.packed), entry.unpacked] {
            archive.extend(word.to_le_bytes());
        }
        for half in [local_name, &entry.local_extra].map(|field| u16::try_from(field.len()).unwrap()) {
            archive.extend(half.to_le_bytes());
        }
        archive.extend(local_name);
        archive.extend(&entry.local_extra);
        archive.extend(&entry.body);

        directory.extend(b"PK\x01\x02");
        for half in [entry.made_by, 20, entry.flags, entry.method, 0, 33] {
            directory.extend(half.to_le_bytes());
        }
        for word in [entry.crc, entry.packed, entry.unpacked] {
            directory.extend(word.to_le_bytes());
        }
        for half in [&entry.name, &entry.extra].map(|field| u16::try_from(field.len()).unwrap()) {
            directory.extend(half.to_le_bytes());
        }
        directory.extend([0; 6]);
        for word in [entry.attributes, offset] {
            directory.extend(word.to_le_bytes());
        }
        directory.extend(&entry.name);
        directory.extend(&entry.extra);
    }
    let begin = archive.len();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    for half in [0, 0, count, count] {
        archive.extend(half.to_le_bytes());
    }
    for word in [directory.len(), begin] {
        archive.extend(u32::try_from(word).unwrap().to_le_bytes());
    }
    archive.extend([0, 0]);
    archive
}
