//! Pax records. They precede an entry and add to its header (POSIX, `pax` utility).
//!
//! A record is `LENGTH KEY=VALUE\n`. Only the length determines its end, because a value may contain any byte. Records that the
//! worker does not use, such as extended attributes, are skipped and never kept in memory.

use std::io::{self, BufRead, Read};

use rustix::fs::Timespec;

use super::super::super::error::Problem;
use super::blocks::unreadable;
use super::header::text;
use super::sparse::{self, Records as Sparse};

/// The longest key that the worker uses has 19 bytes.
const MAX_KEY_BYTES: usize = 32;
/// More than any valid path.
const MAX_VALUE_BYTES: u64 = 64 * 1024;

/// The records that the worker uses, of one entry or of all entries.
#[derive(Clone, Default)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<Timespec>,
    pub(super) sparse: Sparse,
}

impl Records {
    /// Reads all records. The last one of a key wins.
    pub(super) fn read(from: &mut impl BufRead) -> Result<Self, Problem> {
        let mut records = Self::default();
        while let Some((key, length)) = next_key(from)? {
            let mut value = from.take(length);
            records.set(&key, &mut value)?;
            io::copy(&mut value, &mut io::sink()).map_err(|error| unreadable(&error))?;
            if next_byte(from)? != Some(b'\n') {
                return Err(damaged("a record does not end where its length says"));
            }
        }
        Ok(records)
    }

    /// Fills in missing records from the global ones.
    pub(super) fn or(self, global: &Self) -> Self {
        Self {
            path: self.path.or_else(|| global.path.clone()),
            target: self.target.or_else(|| global.target.clone()),
            size: self.size.or(global.size),
            modified: self.modified.or(global.modified),
            sparse: self.sparse,
        }
    }

    fn set(&mut self, key: &[u8], value: &mut io::Take<impl BufRead>) -> Result<(), Problem> {
        match key {
            b"path" => self.path = Some(text(&read_value(value)?).to_owned()),
            b"linkpath" => self.target = Some(text(&read_value(value)?).to_owned()),
            b"size" => self.size = Some(parse_number(key, &read_value(value)?)?),
            b"mtime" => self.modified = time(&read_value(value)?),
            b"GNU.sparse.map" => self.sparse.map = sparse::map_of_text(value)?,
            _ => {
                let Some(key) = key.strip_prefix(b"GNU.sparse.") else { return Ok(()) };
                match key {
                    b"name" => self.sparse.name = Some(text(&read_value(value)?).to_owned()),
                    b"major" => self.sparse.major = parse_number(key, &read_value(value)?)?,
                    b"minor" => self.sparse.minor = parse_number(key, &read_value(value)?)?,
                    b"size" | b"realsize" => self.sparse.size = Some(parse_number(key, &read_value(value)?)?),
                    b"offset" => self.sparse.offset = parse_number(key, &read_value(value)?)?,
                    b"numbytes" => self.sparse.add_region(parse_number(key, &read_value(value)?)?)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Reads a record up to its `=`. Returns the key, or its beginning, and the length of the value.
fn next_key(from: &mut impl BufRead) -> Result<Option<(Vec<u8>, u64)>, Problem> {
    let mut read = 0_u64;
    let mut next = |from: &mut _| {
        read += 1;
        next_byte(from)
    };
    let mut at = next(from)?;
    while matches!(at, Some(b' ' | b'\t')) {
        at = next(from)?;
    }
    // Like GNU tar, takes a NUL as the end of the records.
    if matches!(at, None | Some(0)) {
        return Ok(None);
    }
    let mut length = None;
    while let Some(digit @ b'0'..=b'9') = at {
        let sum = length.unwrap_or(0_u64).checked_mul(10).and_then(|sum| sum.checked_add(u64::from(digit - b'0')));
        length = Some(sum.ok_or_else(|| damaged("a record is too long"))?);
        at = next(from)?;
    }
    let length = length.ok_or_else(|| damaged("a record has no length"))?;
    if !matches!(at, Some(b' ' | b'\t')) {
        return Err(damaged("a record has no space after its length"));
    }
    while matches!(at, Some(b' ' | b'\t')) {
        at = next(from)?;
    }
    let mut key = Vec::new();
    loop {
        match at {
            Some(b'=') => break,
            Some(byte) if key.len() < MAX_KEY_BYTES => key.push(byte),
            Some(_) => {}
            None => return Err(damaged("a record has no `=`")),
        }
        at = next(from)?;
    }
    // The length includes the newline at the end.
    match length.checked_sub(read + 1) {
        Some(value) => Ok(Some((key, value))),
        None => Err(damaged("a record does not end where its length says")),
    }
}

fn next_byte(from: &mut impl BufRead) -> Result<Option<u8>, Problem> {
    let first = from.fill_buf().map_err(|error| unreadable(&error))?.first().copied();
    from.consume(usize::from(first.is_some()));
    Ok(first)
}

/// Reads the value of a record.
fn read_value(value: &mut io::Take<impl BufRead>) -> Result<Vec<u8>, Problem> {
    if value.limit() > MAX_VALUE_BYTES {
        return Err(damaged("the value of a record has more than 64 KiB"));
    }
    let mut bytes = Vec::new();
    value.read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn parse_number(key: &[u8], value: &[u8]) -> Result<u64, Problem> {
    let number = decimal(value);
    number.ok_or_else(|| damaged(&format!("the value of the record `{}` is not a number", key.escape_ascii())))
}

/// A number that consists of digits alone.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}

/// Parses seconds with a fraction, negative before 1970. Ignores any text after the number.
fn time(value: &[u8]) -> Option<Timespec> {
    let (is_negative, value) = value.strip_prefix(b"-").map_or((false, value), |rest| (true, rest));
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (seconds, rest) = value.split_at(digits(value));
    let seconds = i64::try_from(decimal(seconds)?).ok()?;
    let fraction = rest.strip_prefix(b".").unwrap_or_default();
    let mut nanoseconds = [b'0'; 9];
    let count = digits(fraction).min(9);
    nanoseconds[..count].copy_from_slice(&fraction[..count]);
    let nanoseconds = i64::try_from(decimal(&nanoseconds)?).ok()?;
    let (tv_sec, tv_nsec) = match (is_negative, nanoseconds) {
        (false, nanoseconds) => (seconds, nanoseconds),
        (true, 0) => (-seconds, 0),
        (true, nanoseconds) => (-seconds - 1, 1_000_000_000 - nanoseconds),
    };
    Some(Timespec { tv_sec, tv_nsec })
}

fn damaged(what: &str) -> Problem {
    Problem::Archive(format!("the tar archive has damaged pax records: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &[u8]) -> Result<Records, Problem> {
        Records::read(&mut &records[..])
    }

    #[test]
    fn a_value_may_contain_any_byte() {
        let records = read(b"20 comment=a\nb=c\n\0\xff\n11 path=ab\n14 linkpath=\n\n\0\0junk").unwrap();
        assert_eq!(records.path.as_deref(), Some(&b"ab"[..]));
        assert_eq!(records.target.as_deref(), Some(&b"\n"[..]));
    }

    #[test]
    fn the_last_record_of_a_key_wins() {
        let records = read(b"10 path=a\n10 path=b\n10 size=7\n10 size=8\n").unwrap();
        assert_eq!((records.path.as_deref(), records.size), (Some(&b"b"[..]), Some(8)));
    }

    #[test]
    fn an_entrys_own_record_overrides_the_global_one() {
        let global = read(b"10 path=a\n11 mtime=5\n").unwrap();
        let own = read(b"10 path=b\n").unwrap().or(&global);
        assert_eq!(own.path.as_deref(), Some(&b"b"[..]));
        assert_eq!(own.modified, Some(Timespec { tv_sec: 5, tv_nsec: 0 }));
    }

    #[test]
    fn times_have_fractions_and_may_be_negative() {
        for (text, seconds, nanoseconds) in [
            ("1", 1, 0),
            ("1.5", 1, 500_000_000),
            ("1.", 1, 0),
            ("-1.25", -2, 750_000_000),
            ("-7", -7, 0),
            ("1764259200.1234567891", 1_764_259_200, 123_456_789),
            ("1.2x", 1, 200_000_000),
        ] {
            assert_eq!(time(text.as_bytes()), Some(Timespec { tv_sec: seconds, tv_nsec: nanoseconds }), "{text}");
        }
        for text in ["", "x", "-", ".5", "99999999999999999999"] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn damaged_records_are_refused() {
        for records in [
            &b"nonsense"[..],
            b"10path=ab\n",
            b"12 path=a\n",
            b"8 path=a\n",
            b"5 path=a\n",
            b"10 path a\n",
            b"99999999999999999999999 path=a\n",
            b"11 size=+7\n",
            b"8 size=\n",
            b"10 path=a",
        ] {
            let result = read(records);
            assert!(matches!(result, Err(Problem::Archive(_))), "{}", records.escape_ascii());
        }
    }
}
