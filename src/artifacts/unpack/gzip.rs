//! Reads all members of a gzip as one stream.
//!
//! Like `gzip`, this reader accepts zeros after a member, because tapes and fixed-size parts end in zeros. It refuses any other
//! bytes after a member.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Inflates all members. Checks each member's checksum and size at its end.
pub(in super::super) struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(in super::super) fn new(from: R) -> Self {
        Self { member: Some(GzDecoder::new(from)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.member = match self.member.take() {
                Some(ended) => next_member(ended.into_inner())?,
                None => None,
            };
        }
        Ok(0)
    }
}

fn next_member<R: BufRead>(mut from: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let buffered = from.fill_buf()?;
        let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
        match buffered.get(zeros) {
            None if zeros == 0 => return Ok(None),
            None => from.consume(zeros),
            Some(0x1f) => {
                from.consume(zeros);
                return Ok(Some(GzDecoder::new(from)));
            }
            Some(_) => return Err(io::Error::other("bytes that are not gzip data follow a gzip member")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // A small buffer, so that zeros and members cross its borders.
        Members::new(BufReader::with_capacity(7, &parts.concat()[..])).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn zeros_after_and_between_members_are_ignored() {
        let (one, two) = (gzip(b"one"), gzip(b"two"));
        assert_eq!(inflated(&[&one]).unwrap(), b"one");
        assert_eq!(inflated(&[&one, &two]).unwrap(), b"onetwo");
        for count in [1, 7, 512, 10_000] {
            let zeros = vec![0; count];
            assert_eq!(inflated(&[&one, &zeros, &two, &zeros]).unwrap(), b"onetwo");
        }
    }

    #[test]
    fn other_bytes_after_a_member_are_refused() {
        let one = gzip(b"one");
        for after in [&b"garbage"[..], b"\0\0x", b"\x1f", b"\x1f\x8b", b"\x1fx"] {
            assert!(inflated(&[&one, after]).is_err(), "{after:?}");
        }
        assert!(inflated(&[&one[..one.len() - 1]]).is_err());
        let mut damaged = one;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(inflated(&[&damaged]).is_err());
    }
}
