//! Checksums of objects and parts, sent by clients or calculated here (S3 User Guide, "Checking object integrity in
//! Amazon S3").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::Checksum as Sums;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use serde::{Deserialize, Serialize};

pub(super) use super::algorithm::{Algorithm, Kind};

/// A checksum and its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) algorithm: Algorithm,
    /// The checksum in base64. A composite checksum ends with a dash and the number of parts.
    pub(super) value: String,
}

impl Sum {
    fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self { algorithm, value: STANDARD.encode(bytes) }
    }

    /// The composite checksum of parts.
    pub(super) fn composite<'a>(algorithm: Algorithm, parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut hash = Hash::new(algorithm);
        let mut number = 0;
        for part in parts {
            // It was calculated here, so it is valid base64.
            hash.update(&STANDARD.decode(&part.value).unwrap_or_default());
            number += 1;
        }
        let whole = hash.finish();
        Self { value: format!("{}-{number}", whole.value), ..whole }
    }

    /// The checksum as members of a request or response.
    pub(super) fn members(&self) -> Sums {
        let mut sums = Sums::default();
        *member(&mut sums, self.algorithm) = Some(self.value.clone());
        sums
    }

    /// All checksums in a request.
    pub(super) fn all(mut sums: Sums) -> Vec<Self> {
        let sum = |algorithm| Some(Self { algorithm, value: member(&mut sums, algorithm).take()? });
        Algorithm::ALL.into_iter().filter_map(sum).collect()
    }

    /// The only checksum in a request. Returns an error if there are several.
    pub(super) fn only(sums: Sums) -> S3Result<Option<Self>> {
        let mut all = Self::all(sums);
        if all.len() > 1 {
            return Err(several());
        }
        Ok(all.pop())
    }

    /// Returns an error if the value can't be a checksum of this algorithm.
    pub(super) fn check_form(&self) -> S3Result<()> {
        let value = self.value.split_once('-').map_or(self.value.as_str(), |(value, _)| value);
        let size = STANDARD.decode(value).map(|bytes| bytes.len());
        if size == Ok(self.algorithm.size()) {
            return Ok(());
        }
        let message = format!("Value for {} header is invalid.", self.algorithm.header());
        Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
    }
}

/// The error for a request with several checksums.
pub(super) fn several() -> S3Error {
    let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    S3Error::with_message(S3ErrorCode::InvalidRequest, message)
}

fn member(sums: &mut Sums, algorithm: Algorithm) -> &mut Option<String> {
    match algorithm {
        Algorithm::Crc32 => &mut sums.checksum_crc32,
        Algorithm::Crc32c => &mut sums.checksum_crc32c,
        Algorithm::Crc64Nvme => &mut sums.checksum_crc64nvme,
        Algorithm::Sha1 => &mut sums.checksum_sha1,
        Algorithm::Sha256 => &mut sums.checksum_sha256,
    }
}

/// Moves the checksums out of a request's input.
macro_rules! take_sums {
    ($input:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $input.checksum_crc32.take(),
            checksum_crc32c: $input.checksum_crc32c.take(),
            checksum_crc64nvme: $input.checksum_crc64nvme.take(),
            checksum_sha1: $input.checksum_sha1.take(),
            checksum_sha256: $input.checksum_sha256.take(),
            checksum_type: None,
        }
    };
}

/// Replaces the checksums in a response's output.
macro_rules! give_sums {
    ($output:expr, $sums:expr) => {{
        let sums: s3s::dto::Checksum = $sums;
        $output.checksum_crc32 = sums.checksum_crc32;
        $output.checksum_crc32c = sums.checksum_crc32c;
        $output.checksum_crc64nvme = sums.checksum_crc64nvme;
        $output.checksum_sha1 = sums.checksum_sha1;
        $output.checksum_sha256 = sums.checksum_sha256;
    }};
}

pub(super) use {give_sums, take_sums};

/// A checksum in progress.
pub(super) enum Hash {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hash {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hash) => hash.update(bytes),
            Self::Crc32c(hash) => hash.update(bytes),
            Self::Crc64Nvme(hash) => hash.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Sum {
        match self {
            Self::Crc32(hash) => Sum::of_bytes(Algorithm::Crc32, &hash.finalize()),
            Self::Crc32c(hash) => Sum::of_bytes(Algorithm::Crc32c, &hash.finalize()),
            Self::Crc64Nvme(hash) => Sum::of_bytes(Algorithm::Crc64Nvme, &hash.finalize()),
            Self::Sha1(hash) => Sum::of_bytes(Algorithm::Sha1, hash.finalize().as_ref()),
            Self::Sha256(hash) => Sum::of_bytes(Algorithm::Sha256, hash.finalize().as_ref()),
        }
    }
}

/// The MD5 hash of a `Content-MD5` header.
pub(super) fn content_md5(value: &str) -> S3Result<[u8; 16]> {
    let decoded = STANDARD.decode(value).ok().and_then(|bytes| bytes.try_into().ok());
    decoded.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))
}

/// The entity tag of a multipart object: the MD5 hash of the MD5 hashes of its parts, and their number.
pub(super) fn e_tag_of_parts<'a>(e_tags: impl Iterator<Item = &'a str>) -> String {
    let mut md5 = Md5::new();
    let mut number = 0;
    for e_tag in e_tags {
        let digits = (0..e_tag.len()).step_by(2).filter_map(|at| e_tag.get(at..at + 2));
        let bytes: Vec<u8> = digits.filter_map(|digits| u8::from_str_radix(digits, 16).ok()).collect();
        md5.update(&bytes);
        number += 1;
    }
    format!("{}-{number}", hex(&md5.finalize()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(algorithm: Algorithm, bytes: &[u8]) -> Sum {
        let mut hash = Hash::new(algorithm);
        hash.update(bytes);
        hash.finish()
    }

    #[test]
    fn checksums_match_published_values() {
        // Check values of the CRC catalogue for "123456789", and test vectors of FIPS 180-2 for "abc".
        let crcs =
            [(Algorithm::Crc32, "y/Q5Jg=="), (Algorithm::Crc32c, "4waSgw=="), (Algorithm::Crc64Nvme, "rosUhgp5mIg=")];
        for (algorithm, expected) in crcs {
            assert_eq!(sum(algorithm, b"123456789").value, expected);
        }
        assert_eq!(sum(Algorithm::Sha1, b"abc").value, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(sum(Algorithm::Sha256, b"abc").value, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn composite_checksum_hashes_the_parts_checksums() {
        let parts = [sum(Algorithm::Sha256, b"a"), sum(Algorithm::Sha256, b"b")];
        let raw: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode(&part.value).unwrap()).collect();
        let whole = Sum::composite(Algorithm::Sha256, parts.iter());
        assert_eq!(whole.value, format!("{}-2", sum(Algorithm::Sha256, &raw).value));
    }

    #[test]
    fn checksum_of_wrong_length_is_refused() {
        for value in ["AAAA", "not base64", ""] {
            assert!(Sum { algorithm: Algorithm::Crc32, value: value.into() }.check_form().is_err(), "{value}");
        }
        assert!(Sum { algorithm: Algorithm::Crc32, value: "AAAAAA==-2".into() }.check_form().is_ok());
    }

    #[test]
    fn entity_tag_of_parts_hashes_their_hashes() {
        // MD5 of the bytes of MD5("a") and MD5("b").
        let tags = ["0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"];
        assert_eq!(e_tag_of_parts(tags.into_iter()), "96e024ba2074fe77e8e965ba43a704be-2");
    }
}
