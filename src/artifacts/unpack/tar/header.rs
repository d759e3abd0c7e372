//! The header of an entry: V7, ustar and GNU (tar(5), POSIX `pax`).

use rustix::fs::Timespec;

use super::super::super::error::Problem;
use super::blocks::BLOCK_BYTES;

/// A header with a correct checksum.
pub(super) struct Header([u8; BLOCK_BYTES]);

impl Header {
    /// Checks a block. Returns `None` for a block of zeros, which marks the archive's end.
    pub(super) fn checked(block: [u8; BLOCK_BYTES]) -> Result<Option<Self>, Problem> {
        // Like GNU tar, accepts a block with nothing but a checksum.
        if sums(&block).0 == CHECKSUM_SPACES {
            return Ok(None);
        }
        if has_checksum(&block) {
            return Ok(Some(Self(block)));
        }
        let text = "the tar archive is damaged: the checksum of a header is wrong or missing";
        Err(Problem::Archive(text.to_owned()))
    }

    /// The entry's type, a letter or a digit.
    pub(super) fn typeflag(&self) -> u8 {
        self.0[156]
    }

    /// The name, with ustar's prefix for long names.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = text(&self.0[345..500]);
        if &self.0[257..263] == b"ustar\0" && !prefix.is_empty() {
            return [prefix, b"/", name].concat();
        }
        name.to_owned()
    }

    /// The target of a link.
    pub(super) fn target(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_owned()
    }

    pub(super) fn size(&self) -> Option<u64> {
        number(&self.0[124..136])?.try_into().ok()
    }

    pub(super) fn mode(&self) -> Option<u32> {
        number(&self.0[100..108])?.try_into().ok()
    }

    /// The modification time, if the header has a valid one.
    pub(super) fn modified(&self) -> Option<Timespec> {
        Some(Timespec { tv_sec: number(&self.0[136..148])?, tv_nsec: 0 })
    }

    /// Whether the header is in GNU tar's form, where sparse files have the type `S`.
    pub(super) fn is_gnu(&self) -> bool {
        &self.0[257..265] == b"ustar  \0"
    }

    /// The first four regions of a sparse file in GNU's old form.
    pub(super) fn sparse_regions(&self) -> &[u8] {
        &self.0[386..482]
    }

    /// Whether a block with more regions follows.
    pub(super) fn has_more_regions(&self) -> bool {
        self.0[482] != 0
    }

    /// The size of a sparse file in GNU's old form, holes included.
    pub(super) fn sparse_size(&self) -> Option<u64> {
        number(&self.0[483..495])?.try_into().ok()
    }
}

/// The checksum's own field counts as eight spaces.
const CHECKSUM_SPACES: i64 = 8 * b' ' as i64;

/// Whether the block is a header with a correct checksum.
pub(in super::super::super) fn has_checksum(block: &[u8; BLOCK_BYTES]) -> bool {
    let (unsigned, signed) = sums(block);
    // Some old tar programs add signed bytes.
    number(&block[148..156]).is_some_and(|claimed| claimed > 0 && (claimed == unsigned || claimed == signed))
}

fn sums(block: &[u8; BLOCK_BYTES]) -> (i64, i64) {
    let bytes = || block[..148].iter().chain(&block[156..]);
    let unsigned: i64 = bytes().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    (unsigned + CHECKSUM_SPACES, signed + CHECKSUM_SPACES)
}

/// The bytes up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number as GNU tar reads it: octal digits after spaces and before a NUL, a space or the field's end, or base 256.
/// An empty field is zero.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    if let [first @ (0x80 | 0xff), rest @ ..] = field {
        // Two's complement. The highest bit only marks the form.
        let start = if *first == 0xff { -1 } else { 0 };
        let value = rest.iter().try_fold(start, |sum: i128, byte| sum.checked_mul(256)?.checked_add(i128::from(*byte)));
        return value?.try_into().ok();
    }
    let field = field.strip_prefix(b"\0").unwrap_or(field);
    let digits = field.trim_ascii_start();
    if digits.is_empty() && !field.is_empty() {
        return None;
    }
    let end = digits.iter().position(|byte| !matches!(byte, b'0'..=b'7')).unwrap_or(digits.len());
    if !matches!(digits.get(end), None | Some(0)) && !digits[end].is_ascii_whitespace() {
        return None;
    }
    digits[..end].iter().try_fold(0_i64, |sum, digit| sum.checked_mul(8)?.checked_add(i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_gnu_tar_reads_them() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"00000644", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"\x00644\0\0\0\0", Some(0o644)),
            (b"644\0junk", Some(0o644)),
            (b"        ", None),
            (b"0000648\0", None),
            (b"-1\0\0\0\0\0\0", None),
            (b"\x80\0\0\0\0\0\x01\x02", Some(258)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"77777777777\0", Some((1 << 33) - 1)),
        ] {
            assert_eq!(number(field), value, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn a_checksum_of_signed_bytes_is_accepted() {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[0] = 0xe9;
        header.set_cksum();
        assert!(has_checksum(header.as_bytes()));
        let sum = sums(header.as_bytes()).1;
        header.as_mut_bytes()[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(has_checksum(header.as_bytes()));
        header.as_mut_bytes()[0] = b'a';
        assert!(!has_checksum(header.as_bytes()));
    }

    #[test]
    fn only_ustar_has_a_prefix() {
        let mut block = [0; BLOCK_BYTES];
        block[..4].copy_from_slice(b"name");
        block[345..350].copy_from_slice(b"pre/x");
        assert_eq!(Header(block).name(), b"name");
        block[257..263].copy_from_slice(b"ustar\0");
        assert_eq!(Header(block).name(), b"pre/x/name");
    }
}
