use super::header::{DATE, IS_UTF8, TIME};
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
    let content = Deflater::new().whole(b"content").unwrap();
    archive.file("d/\u{e4}:\\", 0o100_644, &content).unwrap();
    archive.finish().unwrap();
    // The flags, the method and the packed size of each local header, in order.
    let mut at = 0;
    let mut found = Vec::new();
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let local = &bytes[at..];
        let (flags, method, packed) = (u16_at(local, 6), u16_at(local, 8), u16_at(local, 18));
        found.push((flags, method, packed));
        assert_eq!((u16_at(local, 10), u16_at(local, 12)), (TIME, DATE));
        at += 30 + usize::from(u16_at(local, 26)) + usize::from(packed);
    }
    assert_eq!(found, [(0, STORED, 0), (0, STORED, 6), (HAS_DESCRIPTOR | IS_UTF8, DEFLATED, 0)]);
}

#[test]
fn a_descriptor_has_64_bit_sizes_if_a_size_needs_them() {
    let mut header = EntryHeader::new("a", DEFLATED, 0, 0).unwrap();
    header.unpacked = IN_ZIP64;
    assert_eq!(header.descriptor().len(), 16);
    header.unpacked = IN_ZIP64 + 1;
    assert_eq!(header.descriptor().len(), 24);
    assert_eq!((header.local(false).len(), header.local(true).len()), (31, 51));
}

#[test]
fn sizes_and_offsets_beyond_32_bits_are_read_back() {
    let sizes = [7, IN_ZIP64 - 1, IN_ZIP64, 5 << 30];
    for (unpacked, packed, offset) in sizes.into_iter().flat_map(|size| [(size, 7, 7), (7, size, 7), (7, 7, size)]) {
        let mut header = EntryHeader::new("a", DEFLATED, 0, offset).unwrap();
        (header.unpacked, header.packed) = (unpacked, packed);
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.list(&header);
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
