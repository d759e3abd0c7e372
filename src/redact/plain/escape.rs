//! The length of an escape sequence (ECMA-48).

/// The known length of an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// It has this many bytes.
    Whole(usize),
    /// The text ends inside it. This many bytes certainly belong to it.
    Open(usize),
}

impl Sequence {
    /// The same, with `more` bytes before it.
    fn after(self, more: usize) -> Self {
        match self {
            Self::Whole(length) => Self::Whole(more + length),
            Self::Open(length) => Self::Open(more + length),
        }
    }
}

const BELL: u8 = 0x07;
/// The first byte of U+0080 to U+009F in UTF-8.
const C1: u8 = 0xc2;
/// The second byte of U+009C, which ends a string.
const STRING_TERMINATOR: u8 = 0x9c;

/// The escape sequence at the beginning of `text` (ECMA-48).
pub(super) fn sequence(text: &str) -> Sequence {
    let bytes = text.as_bytes();
    let (kind, start) = match bytes {
        [C1, second, ..] => (second - 0x40, 2),
        [_, second @ b' '..=b'~', ..] => (*second, 2),
        [_] => return Sequence::Open(1),
        _ => return Sequence::Whole(1),
    };
    let body = &bytes[start..];
    let rest = match kind {
        b'[' => control_sequence(body),
        b']' | b'P' | b'X' | b'^' | b'_' => control_string(body),
        b' '..=b'/' => final_byte(body, |byte| matches!(byte, b' '..=b'/'), |byte| matches!(byte, b'0'..=b'~')),
        _ => Sequence::Whole(0),
    };
    rest.after(start)
}

/// Parameters, intermediate bytes and a final byte, as in colours and cursor movements.
fn control_sequence(body: &[u8]) -> Sequence {
    let parameters = body.iter().take_while(|byte| matches!(byte, b'0'..=b'?')).count();
    let rest = &body[parameters..];
    final_byte(rest, |byte| matches!(byte, b' '..=b'/'), |byte| matches!(byte, b'@'..=b'~')).after(parameters)
}

fn final_byte(body: &[u8], intermediate: impl Fn(u8) -> bool, last: impl Fn(u8) -> bool) -> Sequence {
    let between = body.iter().take_while(|byte| intermediate(**byte)).count();
    match body.get(between) {
        Some(byte) => Sequence::Whole(between + usize::from(last(*byte))),
        None => Sequence::Open(between),
    }
}

/// A string, such as a title or a link's target, with its terminator. Without a terminator in the same line it is text, and the
/// length is 0.
fn control_string(body: &[u8]) -> Sequence {
    for (at, byte) in body.iter().enumerate() {
        match (byte, body.get(at + 1)) {
            (&BELL, _) => return Sequence::Whole(at + 1),
            (0x1b, Some(b'\\')) | (&C1, Some(&STRING_TERMINATOR)) => return Sequence::Whole(at + 2),
            (0x1b, None) => break,
            (b'\n' | 0x18 | 0x1a | 0x1b, _) | (&C1, Some(0x80..=0x9f)) => return Sequence::Whole(0),
            _ => {}
        }
    }
    Sequence::Open(0)
}
