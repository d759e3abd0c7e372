//! Detects the format of an object by its first bytes. CodePipeline's keys have no extension.

use std::io::Read;

use super::unpack::gzip::Members;
use super::unpack::tar::header::has_checksum;

/// The format of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A zip archive, or a format based on it: jar, war, docx.
    Zip,
    /// A tar archive.
    Tar,
    /// A tar archive compressed with gzip.
    TarGz,
    /// A tar archive without entries, compressed with gzip or not.
    EmptyTar,
    /// Anything else, including a gzip without a tar archive.
    OneFile,
}

/// The limit for an end mark in a gzip. GNU tar's largest usual record is 512 KiB.
const MAX_END_MARK_BYTES: u64 = 1024 * 1024;

/// Detects the format of an object of `size` bytes that begins with `head`. 512 bytes are enough, inflated or not.
pub(super) fn detect(head: &[u8], size: u64) -> Format {
    let is_whole = head.len() as u64 == size;
    if is_zip(head) {
        Format::Zip
    } else if is_tar(head) {
        Format::Tar
    } else if is_gzip(head) && is_tar_in_gzip(head) {
        Format::TarGz
    } else if is_whole && (is_end_mark(head) || (is_gzip(head) && is_end_mark_in_gzip(head))) {
        Format::EmptyTar
    } else {
        Format::OneFile
    }
}

/// Recognizes a local header, the end of an archive without entries (classic or Zip64), and the marker of an archive that
/// was not split after all (APPNOTE 8.5.4).
fn is_zip(head: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x06\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"]
        .iter()
        .any(|magic| head.starts_with(magic))
}

/// Recognizes the magic of POSIX and GNU archives, or else the checksum, which even the oldest format has (tar(5)).
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk() else { return false };
    &header[257..262] == b"ustar" || has_checksum(header)
}

/// A tar archive without entries is only an end mark: two or more blocks of zeros. GNU tar writes twenty.
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

/// `object` is the whole gzip.
fn is_end_mark_in_gzip(object: &[u8]) -> bool {
    let mut inflated = Vec::new();
    let read = Members::new(object).take(MAX_END_MARK_BYTES + 1).read_to_end(&mut inflated);
    read.is_ok_and(|count| count as u64 <= MAX_END_MARK_BYTES) && is_end_mark(&inflated)
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
    fn formats_are_detected_by_their_first_bytes() {
        let posix = tar(&mut tar::Header::new_ustar());
        let oldest = tar(&mut tar::Header::new_old());
        let of = |object: &[u8]| detect(object, object.len() as u64);
        assert_eq!(of(b"PK\x03\x04..."), Format::Zip);
        assert_eq!(of(b"PK\x05\x06"), Format::Zip);
        assert_eq!(of(&posix), Format::Tar);
        assert_eq!(of(&oldest), Format::Tar);
        assert_eq!(of(&gzip(&posix)), Format::TarGz);
        assert_eq!(of(&gzip(b"one file")), Format::OneFile);
        for other in [&b""[..], b"PK", b"#!/bin/sh", &[0; 512], &[b' '; 1024], &[0x1f, 0x8b, 8]] {
            assert_eq!(of(other), Format::OneFile);
        }
    }

    #[test]
    fn two_or_more_blocks_of_zeros_are_an_empty_tar() {
        for (blocks, more) in [(2, 0), (20, 0), (1024, 0), (1, 0), (2, 1), (0, 7)] {
            let zeros = vec![0; blocks * 512 + more];
            let expected = if blocks > 1 && more == 0 { Format::EmptyTar } else { Format::OneFile };
            assert_eq!(detect(&zeros, zeros.len() as u64), expected);
            let packed = gzip(&zeros);
            assert_eq!(detect(&packed, packed.len() as u64), expected);
            let padded = [packed, vec![0; 512]].concat();
            assert_eq!(detect(&padded, padded.len() as u64), expected);
        }
        assert_eq!(detect(&[0; 1024], 1 << 30), Format::OneFile);
        assert_eq!(detect(&[vec![0; 1024], vec![1; 512]].concat(), 1536), Format::OneFile);
        let truncated = &gzip(&[0; 1024])[..20];
        assert_eq!(detect(truncated, 20), Format::OneFile);
    }
}
