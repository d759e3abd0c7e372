//! What an object is, told by its first bytes; its name says nothing, since CodePipeline's keys have no extension.

use std::io::Read;

use super::unpack::gzip::Members;
use super::unpack::tar::header::has_checksum;

/// The ways to unpack an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A zip archive, and everything that is one inside: jar, war, docx.
    Zip,
    /// A tar archive.
    Tar,
    /// A tar archive in gzip.
    TarGz,
    /// A tar archive without entries, in gzip or not.
    EmptyTar,
    /// Anything else, a gzip that holds no tar included.
    OneFile,
}

/// The longest end mark that is looked for in a gzip: GNU tar's largest usual record is 512 KiB.
const LONGEST_END_MARK: u64 = 1024 * 1024;

/// Looks at the beginning of an object of `size` bytes. It takes 512 bytes, inflated or not.
pub(super) fn of(head: &[u8], size: u64) -> Content {
    let is_whole = head.len() as u64 == size;
    if is_zip(head) {
        Content::Zip
    } else if is_tar(head) {
        Content::Tar
    } else if is_gzip(head) && is_tar_in_gzip(head) {
        Content::TarGz
    } else if is_whole && (is_end_mark(head) || (is_gzip(head) && is_end_mark_in_gzip(head))) {
        Content::EmptyTar
    } else {
        Content::OneFile
    }
}

/// A local header; the end of an archive without entries (classic, Zip64); the marker of an archive that was once meant
/// to be split (APPNOTE 8.5.4).
fn is_zip(head: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x06\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"]
        .iter()
        .any(|magic| head.starts_with(magic))
}

/// The magic of POSIX and GNU archives, or else the checksum that even the oldest have (tar(5)).
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk() else { return false };
    &header[257..262] == b"ustar" || has_checksum(header)
}

/// A tar without entries is its end mark alone: two blocks of zeros or more. GNU tar writes twenty.
fn is_end_mark(bytes: &[u8]) -> bool {
    bytes.len() >= 1024 && bytes.len().is_multiple_of(512) && bytes.iter().all(|byte| *byte == 0)
}

fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b, 8])
}

fn is_tar_in_gzip(head: &[u8]) -> bool {
    let mut inflated = [0; 512];
    Members::new(head).read_exact(&mut inflated).is_ok() && is_tar(&inflated)
}

/// `object` is all of the gzip.
fn is_end_mark_in_gzip(object: &[u8]) -> bool {
    let mut inflated = Vec::new();
    let read = Members::new(object).take(LONGEST_END_MARK + 1).read_to_end(&mut inflated);
    read.is_ok_and(|count| count as u64 <= LONGEST_END_MARK) && is_end_mark(&inflated)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(header: &mut tar::Header) -> Vec<u8> {
        header.set_size(0);
        header.set_cksum();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_data(header, "name", std::io::empty()).unwrap();
        archive.into_inner().unwrap()
    }

    #[test]
    fn content_is_told_by_its_bytes() {
        let posix = tar(&mut tar::Header::new_ustar());
        let oldest = tar(&mut tar::Header::new_old());
        let of = |object: &[u8]| of(object, object.len() as u64);
        assert_eq!(of(b"PK\x03\x04..."), Content::Zip);
        assert_eq!(of(b"PK\x05\x06"), Content::Zip);
        assert_eq!(of(&posix), Content::Tar);
        assert_eq!(of(&oldest), Content::Tar);
        assert_eq!(of(&gzip(&posix)), Content::TarGz);
        assert_eq!(of(&gzip(b"one file")), Content::OneFile);
        for other in [&b""[..], b"PK", b"#!/bin/sh", &[0; 512], &[b' '; 1024], &[0x1f, 0x8b, 8]] {
            assert_eq!(of(other), Content::OneFile);
        }
    }

    #[test]
    fn whole_blocks_of_zeros_are_an_empty_tar() {
        for (blocks, more) in [(2, 0), (20, 0), (1024, 0), (1, 0), (2, 1), (0, 7)] {
            let zeros = vec![0; blocks * 512 + more];
            let expected = if blocks > 1 && more == 0 { Content::EmptyTar } else { Content::OneFile };
            assert_eq!(of(&zeros, zeros.len() as u64), expected);
            let packed = gzip(&zeros);
            assert_eq!(of(&packed, packed.len() as u64), expected);
            let padded = [packed, vec![0; 512]].concat();
            assert_eq!(of(&padded, padded.len() as u64), expected);
        }
        assert_eq!(of(&[0; 1024], 1 << 30), Content::OneFile);
        assert_eq!(of(&[vec![0; 1024], vec![1; 512]].concat(), 1536), Content::OneFile);
        let truncated = &gzip(&[0; 1024])[..20];
        assert_eq!(of(truncated, 20), Content::OneFile);
    }
}
