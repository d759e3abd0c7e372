//! The formats of objects, written by other libraries.

use std::io::{Cursor, Write};

use ::tar::{Builder, EntryType, Header};
use ::zip::ZipWriter;
use ::zip::write::SimpleFileOptions;

use super::craft::{Crafted, deflated, file, zip};
use super::*;

#[test]
fn other_formats_become_one_file_with_the_artifacts_name() {
    for content in [&b""[..], b"#!/bin/sh\n", &[0x1f, 0x8b, 8, 0], &vec![7; 3_000_000]] {
        let tree = unpacked(content.to_vec());
        assert!(tree == Tree::from([("App".to_owned(), Node::File(0o644, content.to_vec()))]));
    }
}

#[test]
fn one_file_over_the_limit_is_refused() {
    let limits = UnpackLimits { max_unpacked_bytes: 10, max_entries: 1 };
    assert_eq!(unpack_with(&b"eleven byte"[..], limits).0, Err(Problem::TooLarge(10)));
    assert!(unpack_with(&b"ten bytes."[..], limits).0.is_ok());
}

#[test]
fn a_zip_unpacks_with_modes_links_and_empty_folders() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().unix_permissions(0o640);
    archive.add_directory("empty", plain.unix_permissions(0o700)).unwrap();
    archive.start_file("bin/tool", plain.unix_permissions(0o755)).unwrap();
    archive.write_all(b"#!/bin/sh").unwrap();
    archive.start_file("stored", plain.compression_method(::zip::CompressionMethod::Stored)).unwrap();
    archive.write_all(b"stored").unwrap();
    archive.add_symlink("latest", "bin/tool", plain).unwrap();
    archive.start_file("large/zip64", plain.large_file(true)).unwrap();
    archive.write_all(&[1; 100_000]).unwrap();
    let tree = unpacked(archive.finish().unwrap().into_inner());
    assert_eq!(tree["empty"], Node::Folder(0o700));
    assert_eq!(tree["bin"], Node::Folder(0o755));
    assert_eq!(tree["bin/tool"], Node::File(0o755, b"#!/bin/sh".to_vec()));
    assert_eq!(tree["stored"], Node::File(0o640, b"stored".to_vec()));
    assert_eq!(tree["latest"], Node::Link("bin/tool".to_owned()));
    assert_eq!(tree["large/zip64"], Node::File(0o640, vec![1; 100_000]));
}

#[test]
fn a_zip_with_more_than_65535_entries_unpacks() {
    // Mostly the same folder, which may occur often. The test counts entries; it does not need to create them.
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for _ in 0..65_599 {
        archive.new_dir("d/").create().unwrap();
    }
    archive.new_dir("last/").create().unwrap();
    let limits = UnpackLimits { max_entries: 65_600, ..LIMITS };
    let object = archive.finish().unwrap();
    assert_eq!(unpack_with(object.clone(), limits).0, Ok(Staged { bytes: 0, entries: 2 }));
    let text = unpack_with(object, LIMITS).0.unwrap_err().to_string();
    assert!(text.contains("more than 3000 entries, three times the limit; raise MAX_ENTRIES"), "{text}");
}

#[test]
fn several_threads_unpack_all_entries() {
    let noise = |seed: usize| (0..700_000_usize).map(|i| (i.wrapping_mul(seed * 2 + 1) >> 3) as u8).collect::<Vec<_>>();
    let entries: Vec<_> = (0..30)
        .map(|i| {
            if i % 3 == 0 {
                deflated(&format!("d{}/f{i}", i % 4), &noise(i))
            } else {
                file(format!("d{}/f{i}", i % 4), &noise(i))
            }
        })
        .collect();
    let tree = unpacked(zip(&entries));
    for i in 0..30 {
        assert!(tree[&format!("d{}/f{i}", i % 4)] == Node::File(0o644, noise(i)), "{i}");
    }
}

#[test]
fn special_bits_are_dropped_and_modes_have_defaults() {
    let tree = unpacked(zip(&[
        Crafted { attributes: 0o106_755 << 16, ..file("setuid", b"") },
        Crafted { attributes: 0o041_777 << 16, ..file("sticky/", b"") },
        Crafted { attributes: 0, ..file("none", b"") },
        Crafted { made_by: 20, attributes: 0x20, ..file("dos", b"") },
        Crafted { made_by: 20, attributes: 0x10, ..file("dosfolder", b"") },
    ]));
    assert_eq!(tree["setuid"], Node::File(0o755, vec![]));
    assert_eq!(tree["sticky"], Node::Folder(0o777));
    assert_eq!(tree["none"], Node::File(0o644, vec![]));
    assert_eq!(tree["dos"], Node::File(0o644, vec![]));
    assert_eq!(tree["dosfolder"], Node::Folder(0o755));
}

#[test]
fn an_entry_that_zip_read_from_a_pipe_is_a_file() {
    let pipe = |name: &str, content: &[u8]| Crafted { attributes: 0o010_600 << 16, ..file(name, content) };
    let tree = unpacked(zip(&[pipe("-", b"from standard input"), pipe("empty", b"")]));
    assert_eq!(tree["-"], Node::File(0o600, b"from standard input".to_vec()));
    assert_eq!(tree["empty"], Node::File(0o600, vec![]));
}

#[test]
fn a_read_only_folder_gets_its_files() {
    let locked = Crafted { attributes: 0o040_555 << 16, ..file("locked/", b"") };
    let tree = unpacked(zip(&[locked, file("locked/a", b"A")]));
    assert_eq!(tree["locked"], Node::Folder(0o755));
    assert_eq!(tree["locked/a"], Node::File(0o644, b"A".to_vec()));
}

#[test]
fn an_empty_zip_is_an_empty_folder() {
    assert_eq!(unpacked(zip(&[])), Tree::new());
}

fn sample_tar() -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_mode(0o4755);
    header.set_size(5);
    archive.append_pax_extensions([("comment", b"ignored".as_slice())]).unwrap();
    archive.append_data(&mut header, "bin/tool", &b"tool\n"[..]).unwrap();
    let long = format!("{}/file", "deep/".repeat(60));
    archive.append_data(&mut header, long, &b"deep\n"[..]).unwrap();
    header.set_size(0);
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o750);
    archive.append_data(&mut header, "./empty/", std::io::empty()).unwrap();
    header.set_entry_type(EntryType::Symlink);
    archive.append_link(&mut header, "latest", "bin/tool").unwrap();
    header.set_entry_type(EntryType::Link);
    archive.append_link(&mut header, "again", "bin/tool").unwrap();
    archive.into_inner().unwrap()
}

fn assert_is_sample(tree: &Tree) {
    assert_eq!(tree["bin/tool"], Node::File(0o755, b"tool\n".to_vec()));
    assert_eq!(tree["again"], Node::File(0o755, b"tool\n".to_vec()));
    assert_eq!(tree[&format!("{}file", "deep/".repeat(60))], Node::File(0o755, b"deep\n".to_vec()));
    assert_eq!(tree["empty"], Node::Folder(0o750));
    assert_eq!(tree["latest"], Node::Link("bin/tool".to_owned()));
    assert_eq!(tree.len(), 6 + 60);
}

#[test]
fn a_tar_unpacks_with_long_names_modes_and_links() {
    assert_is_sample(&unpacked(sample_tar()));
}

#[test]
fn a_gzip_of_several_members_is_unpacked() {
    let archive = sample_tar();
    let gzip = |part: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    assert_is_sample(&unpacked(gzip(&archive)));
    let (front, back) = archive.split_at(700);
    assert_is_sample(&unpacked([gzip(front), gzip(back)].concat()));
}

#[test]
fn global_pax_records_of_git_archive_are_accepted() {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XGlobalHeader);
    let record = b"52 comment=0123456789012345678901234567890123456789\n";
    header.set_size(record.len() as u64);
    let mut archive = Builder::new(Vec::new());
    archive.append_data(&mut header, "pax_global_header", &record[..]).unwrap();
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(1);
    archive.append_data(&mut header, "a", &b"A"[..]).unwrap();
    let tree = unpacked(archive.into_inner().unwrap());
    assert_eq!(tree, Tree::from([("a".to_owned(), Node::File(0o644, b"A".to_vec()))]));
}
