//! Crafts tar archives with any name, type and content.

use ::tar::{EntryType, Header};

pub(super) fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// An entry with exactly this name. The library's own methods refuse some names.
pub(super) fn raw(kind: EntryType, name: &str, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = header(kind, content.len() as u64);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..name.len()].copy_from_slice(name.as_bytes());
    gnu.linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    let mut block = header.as_bytes().to_vec();
    block.extend(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

pub(super) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = entries.concat();
    archive.extend([0; 1024]);
    archive
}

pub(super) fn file(name: &str) -> Vec<u8> {
    raw(EntryType::Regular, name, "", b"content")
}

pub(super) fn folder(name: &str) -> Vec<u8> {
    raw(EntryType::Directory, name, "", b"")
}

pub(super) fn link(name: &str, target: &str) -> Vec<u8> {
    raw(EntryType::Symlink, name, target, b"")
}

/// Pax records for the next entry, or for all entries if the type is that of a global header.
pub(super) fn pax(kind: EntryType, records: &[&str]) -> Vec<u8> {
    let line = |record: &&str| format!("{} {record}\n", record.len() + 4);
    assert!(records.iter().all(|record| (6..96).contains(&record.len())), "their lengths have two digits");
    raw(kind, "pax", "", records.iter().map(line).collect::<String>().as_bytes())
}

pub(super) fn with_text(name: &str, content: &str) -> Vec<u8> {
    raw(EntryType::Regular, name, "", content.as_bytes())
}
