//! Version ids.

use s3s::{S3Result, s3_error};

use crate::ids::random_seed;

/// The id of the version without an id of its own (S3 User Guide, "Working with objects in a versioning-suspended
/// bucket").
const NULL: &str = "null";
/// The length of an id.
const LENGTH: usize = 32;
/// The length of its end, which holds the commit number.
const PLACE: usize = 12;
/// The length of ids in the S3 User Guide's examples.
const DOCUMENTED_LENGTH: usize = 64;
/// Each character stands for six bits, and is valid in file names.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ._abcdefghijklmnopqrstuvwxyz";

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::s3) enum VersionId {
    /// The version that was written without versioning.
    Null,
    /// A version that was written with versioning enabled.
    Given(String),
}

impl VersionId {
    /// Creates an id. It holds the commit number, so that a listing can continue after a version that was deleted
    /// meanwhile.
    pub(super) fn new(place: u64) -> Self {
        Self::Given([digits(random_seed(), 10), digits(random_seed(), 10), digits(place, PLACE)].concat())
    }

    /// Parses an id from a request. Returns an error for an id that S3 never gives.
    pub(in crate::s3) fn parse(text: &str) -> S3Result<Self> {
        let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/=".contains(&byte);
        match text {
            "" => Err(s3_error!(InvalidArgument, "Version id cannot be the empty string")),
            NULL => Ok(Self::Null),
            _ if [LENGTH, DOCUMENTED_LENGTH].contains(&text.len()) && text.bytes().all(possible) => {
                Ok(Self::Given(text.to_owned()))
            }
            _ => Err(s3_error!(InvalidArgument, "Invalid version id specified")),
        }
    }

    pub(in crate::s3) fn as_str(&self) -> &str {
        match self {
            Self::Null => NULL,
            Self::Given(id) => id,
        }
    }

    /// The commit number in the id, if it holds one.
    pub(in crate::s3) fn place(&self) -> Option<u64> {
        let Self::Given(id) = self else { return None };
        let place = id.as_bytes().get(LENGTH - PLACE..LENGTH)?;
        place.iter().try_fold(0_u64, |place, byte| {
            let digit = DIGITS.iter().position(|digit| digit == byte)?;
            place.checked_mul(64)?.checked_add(digit as u64)
        })
    }
}

fn digits(number: u64, count: usize) -> String {
    let digit = |index: usize| (number.checked_shr(6 * u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0)) & 63;
    (0..count).rev().map(|index| char::from(DIGITS[digit(index) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_round_trips_with_its_commit_number() {
        for place in [1, 63, 64, 1 << 40, u64::MAX] {
            let id = VersionId::new(place);
            assert_eq!(id.as_str().len(), 32);
            assert_eq!(VersionId::parse(id.as_str()).unwrap(), id);
            assert_eq!(id.place(), Some(place));
        }
        assert_ne!(VersionId::new(1), VersionId::new(1));
    }

    #[test]
    fn impossible_version_ids_are_refused() {
        for text in ["abcdef", "nul", "Null", &"a".repeat(31), &"a".repeat(33), &"ä".repeat(16), &" ".repeat(32)] {
            let error = VersionId::parse(text).unwrap_err();
            assert_eq!(error.code().as_str(), "InvalidArgument", "{text}");
            assert_eq!(error.message(), Some("Invalid version id specified"), "{text}");
        }
        let empty = VersionId::parse("").unwrap_err();
        assert_eq!(empty.message(), Some("Version id cannot be the empty string"));
        let documented = "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo";
        VersionId::parse(documented).unwrap();
    }
}
