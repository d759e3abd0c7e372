//! The length of an escape sequence (ECMA-48).

const BELL: u8 = 0x07;
/// The first byte of U+0080 to U+009F in UTF-8.
const C1: u8 = 0xc2;
/// The second byte of U+009C, which ends a string.
const STRING_TERMINATOR: u8 = 0x9c;

/// The length in bytes of the escape sequence at the beginning of `text` (ECMA-48). Of an incomplete sequence, counts only the bytes
/// that certainly belong to it.
pub(super) fn sequence(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (kind, start) = match bytes {
        [C1, second, ..] => (second - 0x40, 2),
        [_, second @ b' '..=b'~', ..] => (*second, 2),
        _ => return 1,
    };
    let body = &bytes[start..];
    start
        + match kind {
            b'[' => control_sequence(body),
            b']' | b'P' | b'X' | b'^' | b'_' => control_string(body),
            b' '..=b'/' => final_byte(body, |byte| matches!(byte, b' '..=b'/'), |byte| matches!(byte, b'0'..=b'~')),
            _ => 0,
        }
}

/// The length of parameters, intermediate bytes and a final byte, as in colours and cursor movements.
fn control_sequence(body: &[u8]) -> usize {
    let parameters = body.iter().take_while(|byte| matches!(byte, b'0'..=b'?')).count();
    let rest = &body[parameters..];
    parameters + final_byte(rest, |byte| matches!(byte, b' '..=b'/'), |byte| matches!(byte, b'@'..=b'~'))
}

fn final_byte(body: &[u8], intermediate: impl Fn(u8) -> bool, last: impl Fn(u8) -> bool) -> usize {
    let between = body.iter().take_while(|byte| intermediate(**byte)).count();
    between + usize::from(body.get(between).is_some_and(|byte| last(*byte)))
}

/// The length of a string, such as a title or a link's target, with its terminator. Without a terminator in the same line it is
/// text, and the length is 0.
fn control_string(body: &[u8]) -> usize {
    for (at, byte) in body.iter().enumerate() {
        match (byte, body.get(at + 1)) {
            (&BELL, _) => return at + 1,
            (0x1b, Some(b'\\')) | (&C1, Some(&STRING_TERMINATOR)) => return at + 2,
            (b'\n' | 0x18 | 0x1a | 0x1b, _) | (&C1, Some(0x80..=0x9f)) => return 0,
            _ => {}
        }
    }
    0
}
