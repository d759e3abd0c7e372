//! Builders of archives that may break every rule.

use std::io::{Cursor, Write};

use ::zip::ZipWriter;
use ::zip::write::SimpleFileOptions;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// An entry: its name, and what it is.
pub(super) type Entry<'a> = (&'a str, What<'a>);

#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    File(u32, &'a [u8]),
    Folder(u32),
    Link(&'a str),
    /// Only for tars.
    Hard(&'a str),
    /// Only for tars.
    Other(EntryType),
}

pub(super) fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, what) in entries {
        let options = SimpleFileOptions::default();
        match what {
            What::File(mode, content) => {
                zip.start_file(*name, options.unix_permissions(*mode)).unwrap();
                zip.write_all(content).unwrap();
            }
            What::Folder(mode) => zip.add_directory(*name, options.unix_permissions(*mode)).unwrap(),
            What::Link(target) => zip.add_symlink(*name, *target, options).unwrap(),
            What::Hard(_) | What::Other(_) => panic!("a zip has no such entry"),
        }
    }
    zip.finish().unwrap().into_inner()
}

/// A tar. The library would refuse hostile names, so they are written into the header as bytes.
pub(super) fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, what) in entries {
        let (kind, mode, link, content) = match *what {
            What::File(mode, content) => (EntryType::Regular, mode, "", content),
            What::Folder(mode) => (EntryType::Directory, mode, "", &[][..]),
            What::Link(target) => (EntryType::Symlink, 0o777, target, &[][..]),
            What::Hard(target) => (EntryType::Link, 0o644, target, &[][..]),
            What::Other(kind) => (kind, 0o644, "", &[][..]),
        };
        append(&mut bytes, kind, (name, link), mode, content);
    }
    bytes.extend([0; 1024]);
    bytes
}

/// Adds a header and its content.
pub(super) fn append(bytes: &mut Vec<u8>, kind: EntryType, (name, link): (&str, &str), mode: u32, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    header.set_cksum();
    bytes.extend(header.as_bytes());
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
