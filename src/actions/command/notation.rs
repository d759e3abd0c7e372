//! The notation of a command's report files: `KEY=value` lines. A value of several lines is written as in GitHub Actions:
//!
//! ```text
//! # a comment
//! KEY<<EOF
//! first line
//! second line
//! EOF
//! ```
//!
//! Blank lines and lines that begin with `#` are ignored. A file is UTF-8 with or without a byte order mark, or UTF-16 with one, as `>`
//! in Windows PowerShell writes. Lines end with LF or CR LF.

use std::borrow::Cow;
use std::str::Utf8Error;

use thiserror::Error;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A mistake in a file. Lines count from 1. The message repeats no text of the file, because it may be secret. Only a plain word that
/// ends a value is shown.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum NotationError {
    #[error("line {line} of the file {file} is not UTF-8; write UTF-8")]
    NotUtf8 { file: &'static str, line: usize },
    #[error("the file {file} begins with the byte order mark of UTF-16, but is not UTF-16; write UTF-8")]
    NotUtf16 { file: &'static str },
    #[error("line {line} of the file {file} has a NUL character, as UTF-16 without a byte order mark has; write UTF-8")]
    Nul { file: &'static str, line: usize },
    #[error("line {line} of the file {file} is neither `KEY=value` nor `KEY<<EOF`")]
    Malformed { file: &'static str, line: usize },
    #[error(
        "line {line} of the file {file} has white space around the key; write `KEY=value`, without spaces around `=`"
    )]
    Spaces { file: &'static str, line: usize },
    #[error("line {line} of the file {file} has `export` before the key; write `KEY=value`")]
    Export { file: &'static str, line: usize },
    #[error("line {line} of the file {file} has no word after `KEY<<`; write `KEY<<EOF`")]
    NoDelimiter { file: &'static str, line: usize },
    #[error("the value that begins in line {line} of the file {file} has no end{hint}")]
    Unended { file: &'static str, line: usize, hint: String },
}

/// A key and its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line where it begins.
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: String,
}

/// Decodes a file's `bytes`, without a byte order mark.
pub(super) fn text<'b>(bytes: &'b [u8], file: &'static str) -> Result<Cow<'b, str>, NotationError> {
    let text: Cow<'_, str> = match utf16(bytes) {
        Some((units, is_whole)) => {
            let text = String::from_utf16(&units).ok().filter(|_| is_whole);
            text.ok_or(NotationError::NotUtf16 { file })?.into()
        }
        None => {
            let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
            let not_utf8 = |error: Utf8Error| line_of(&bytes[..error.valid_up_to()]);
            std::str::from_utf8(bytes).map_err(|error| NotationError::NotUtf8 { file, line: not_utf8(error) })?.into()
        }
    };
    match text.find('\0') {
        Some(at) => Err(NotationError::Nul { file, line: line_of(&text.as_bytes()[..at]) }),
        None => Ok(text),
    }
}

/// The same for prose, which may have any bytes. Returns UTF-8 bytes.
pub(super) fn prose(bytes: &[u8]) -> Cow<'_, [u8]> {
    match utf16(bytes) {
        Some((units, _)) => String::from_utf16_lossy(&units).into_bytes().into(),
        None => bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes).into(),
    }
}

/// The units after a byte order mark of UTF-16, and whether the last unit is complete.
fn utf16(bytes: &[u8]) -> Option<(Vec<u16>, bool)> {
    let (read, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    Some((pairs.iter().map(|pair| read(*pair)).collect(), odd.is_empty()))
}

/// Reads the entries of a file's `bytes`, in order.
pub(super) fn read(bytes: &[u8], file: &'static str) -> Result<Vec<Entry>, NotationError> {
    let text = text(bytes, file)?;
    let mut entries = Vec::new();
    let mut lines = (1..).zip(text.lines().map(|line| line.trim_end_matches('\r')));
    while let Some((line, content)) = lines.next() {
        if content.trim().is_empty() || content.trim_start().starts_with('#') {
            continue;
        }
        // The first of the two decides: `A=b<<c` is one line, and `A<<b=c` has the delimiter `b=c`.
        let at = content.find(['=', '<']).ok_or(NotationError::Malformed { file, line })?;
        let (key, notation) = content.split_at(at);
        let value = if let Some(value) = notation.strip_prefix('=') {
            value.to_owned()
        } else {
            let delimiter = notation.strip_prefix("<<").ok_or(NotationError::Malformed { file, line })?;
            if delimiter.is_empty() {
                return Err(NotationError::NoDelimiter { file, line });
            }
            value_until(delimiter, &mut lines).map_err(|hint| NotationError::Unended { file, line, hint })?
        };
        if key.starts_with("export ") {
            return Err(NotationError::Export { file, line });
        }
        if key.trim() != key && !key.trim().is_empty() {
            return Err(NotationError::Spaces { file, line });
        }
        entries.push(Entry { line, key: key.to_owned(), value });
    }
    Ok(entries)
}

/// The lines up to the delimiter. Without a delimiter, returns a hint about the mistake.
fn value_until<'t>(delimiter: &str, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Result<String, String> {
    let mut value = Vec::new();
    let mut hint = String::new();
    for (line, content) in lines {
        if content == delimiter {
            return Ok(value.join("\n"));
        }
        if content.ends_with(delimiter) && hint.is_empty() {
            let word = if is_word(delimiter) { format!("`{delimiter}`") } else { "the word after `<<`".to_owned() };
            hint = format!("; line {line} ends with {word}: add a newline before it");
        } else if content.trim() == delimiter && hint.is_empty() {
            hint = format!("; line {line} has white space around the word after `<<`: remove it");
        }
        value.push(content);
    }
    if hint.is_empty() {
        hint.push_str(": add a line with the word after `<<`");
    }
    Err(hint)
}

/// Whether the delimiter is a plain word such as `EOF`, which may be shown.
fn is_word(delimiter: &str) -> bool {
    delimiter.len() <= 20 && delimiter.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "OUTPUT_VARIABLES";

    fn entries(bytes: &[u8]) -> Vec<(usize, String, String)> {
        let entries = read(bytes, FILE).unwrap_or_else(|error| panic!("{error}"));
        entries.into_iter().map(|Entry { line, key, value }| (line, key, value)).collect()
    }

    fn entry(line: usize, key: &str, value: &str) -> (usize, String, String) {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn lines_and_blocks_are_read() {
        let text = "A=1\n\nb@-_=x=y<<z \nC<<E=F\none\n\n# two=2\r\nE=F\nD=\nEMPTY<<.\n.\nA=2";
        let expected = [
            entry(1, "A", "1"),
            entry(3, "b@-_", "x=y<<z "),
            entry(4, "C", "one\n\n# two=2"),
            entry(9, "D", ""),
            entry(10, "EMPTY", ""),
            entry(12, "A", "2"),
        ];
        assert_eq!(entries(text.as_bytes()), expected);
    }

    #[test]
    fn marks_comments_and_windows_line_ends_are_ignored() {
        let expected = [entry(3, "A", "1"), entry(4, "B", "x\n y")];
        let text = "# note\n \t\nA=1\nB<<EOF\nx\n y\nEOF\n  # more\n";
        let windows = text.replace('\n', "\r\n");
        assert_eq!(entries(text.as_bytes()), expected);
        assert_eq!(entries(windows.trim_end_matches('\n').as_bytes()), expected);
        assert_eq!(entries(format!("\u{feff}{windows}").as_bytes()), expected);
        assert_eq!(entries(b"A=1\r"), [entry(1, "A", "1")]);
        for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let encoded: Vec<u8> = mark.into_iter().chain(windows.encode_utf16().flat_map(bytes)).collect();
            assert_eq!(entries(&encoded), expected);
            assert_eq!(prose(&encoded), windows.as_bytes());
            let odd = [encoded.as_slice(), b"x"].concat();
            assert_eq!(read(&odd, FILE), Err(NotationError::NotUtf16 { file: FILE }));
        }
    }

    #[test]
    fn a_mistake_is_named_by_its_line_without_its_text() {
        for (bytes, expected) in [
            (&b"A=1\nconfidential"[..], "line 2 of the file OUTPUT_VARIABLES is neither `KEY=value` nor `KEY<<EOF`"),
            (b"A=1\nA<confidential", "line 2 of the file OUTPUT_VARIABLES is neither `KEY=value` nor `KEY<<EOF`"),
            (b"A=1\nB<<", "line 2 of the file OUTPUT_VARIABLES has no word after `KEY<<`; write `KEY<<EOF`"),
            (
                b"export A=confidential",
                "line 1 of the file OUTPUT_VARIABLES has `export` before the key; write `KEY=value`",
            ),
            (
                b"A = confidential",
                "line 1 of the file OUTPUT_VARIABLES has white space around the key; write `KEY=value`, without spaces around `=`",
            ),
            (b"A=1\nB=2\xff", "line 2 of the file OUTPUT_VARIABLES is not UTF-8; write UTF-8"),
            (
                b"A\0=\x001\0\n\0",
                "line 1 of the file OUTPUT_VARIABLES has a NUL character, as UTF-16 without a byte order mark has; write UTF-8",
            ),
        ] {
            assert_eq!(read(bytes, FILE).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_value_without_an_end_has_a_hint() {
        let start = "the value that begins in line 2 of the file OUTPUT_VARIABLES has no end";
        for (text, hint) in [
            ("A=1\nB<<EOF\nconfidential", ": add a line with the word after `<<`"),
            ("A=1\nB<<EOF\nconfidentialEOF\nC=1", "; line 3 ends with `EOF`: add a newline before it"),
            (
                "A=1\nB<<confidential-7\nxconfidential-7",
                "; line 3 ends with the word after `<<`: add a newline before it",
            ),
            ("A=1\nB<<EOF\nx\nEOF \n", "; line 4 has white space around the word after `<<`: remove it"),
        ] {
            assert_eq!(read(text.as_bytes(), FILE).unwrap_err().to_string(), format!("{start}{hint}"));
        }
    }
}
