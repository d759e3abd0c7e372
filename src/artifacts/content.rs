//! What an object is, told by its first bytes; its name says nothing, since CodePipeline's keys have no extension.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

/// The ways to unpack an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A zip archive, and everything that is one inside: jar, war, docx.
    Zip,
    /// A tar archive.
    Tar,
    /// A tar archive in gzip.
    TarGz,
    /// Anything else, a gzip that holds no tar included.
    OneFile,
}

/// Looks at the beginning of an object, of which 512 bytes inflated or not are enough.
pub(super) fn of(head: &[u8]) -> Content {
    if is_zip(head) {
        Content::Zip
    } else if is_tar(head) {
        Content::Tar
    } else if is_tar_in_gzip(head) {
        Content::TarGz
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
    let Some(header) = head.get(..512) else { return false };
    &header[257..262] == b"ustar" || has_tar_checksum(header)
}

fn has_tar_checksum(header: &[u8]) -> bool {
    let field = String::from_utf8_lossy(&header[148..156]);
    let digits = field.trim_matches(['\0', ' ']);
    let Ok(claimed) = u32::from_str_radix(digits, 8) else { return false };
    // The checksum's own field counts as eight spaces.
    let sum: u32 = header[..148].iter().chain(&header[156..]).map(|byte| u32::from(*byte)).sum();
    sum + 8 * 32 == claimed
}

fn is_tar_in_gzip(head: &[u8]) -> bool {
    if !head.starts_with(&[0x1f, 0x8b, 8]) {
        return false;
    }
    let mut inflated = [0; 512];
    MultiGzDecoder::new(head).read_exact(&mut inflated).is_ok() && is_tar(&inflated)
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
        assert_eq!(of(b"PK\x03\x04..."), Content::Zip);
        assert_eq!(of(b"PK\x05\x06"), Content::Zip);
        assert_eq!(of(&posix), Content::Tar);
        assert_eq!(of(&oldest), Content::Tar);
        assert_eq!(of(&gzip(&posix)), Content::TarGz);
        assert_eq!(of(&gzip(b"one file")), Content::OneFile);
        assert_eq!(of(&gzip(&[0; 2048])), Content::OneFile);
        for other in [&b""[..], b"PK", b"#!/bin/sh", &[0; 1024], &[b' '; 1024], &[0x1f, 0x8b, 8]] {
            assert_eq!(of(other), Content::OneFile);
        }
    }
}
