//! Text as a person reads it: without escape sequences and control characters, and with the last state alone of a line that
//! was written several times.
//!
//! Libraries that strip escape sequences let an unended one take the rest of the text along, and leave carriage returns,
//! backspaces and 8-bit control characters to their callers.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';
const BELL: u8 = 0x07;
/// The first byte of U+0080 to U+009F in UTF-8, and the second one of U+009C, which ends a string.
const C1: u8 = 0xc2;
const STRING_TERMINATOR: u8 = 0x9c;

/// A plain text, and the length of its beginning that may not be shown.
#[derive(Default)]
pub(super) struct Plain {
    pub(super) text: String,
    pub(super) hidden: usize,
    /// Where the present line begins.
    line: usize,
    /// Whether a carriage return came: what comes next replaces the line.
    returned: bool,
    /// How many backspaces came: what comes next replaces so many characters.
    back: usize,
}

/// `text` without escape sequences and control characters other than tab and line feed. A line that carriage returns divide
/// has its last part, a backspace takes the character before it away, and a form feed ends a line.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Plain::of(text, 0, 0).text)
}

/// The characters that `bytes` hold. A byte that is not UTF-8 is an 8-bit control character or becomes `�`.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        match chunk.invalid() {
            [] => {}
            [byte @ 0x80..=0x9f] => text.push(char::from(*byte)),
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text
}

fn is_plain(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

impl Plain {
    /// Makes `text` plain. Its first `hidden` bytes may not be shown, nor may the first `unknown` bytes of the plain text, since the
    /// text before them is unknown. A line that begins again replaces such bytes.
    pub(super) fn of(text: &str, hidden: usize, unknown: usize) -> Self {
        let mut plain = Self { text: String::with_capacity(text.len()), hidden: unknown, ..Self::default() };
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let run = rest.find(|c| !is_plain(c) || c == '\n').unwrap_or(rest.len());
            let length = if run > 0 {
                plain.write(&rest[..run]);
                run
            } else {
                plain.control(rest)
            };
            at += length;
            // The end of a run that begins in the hidden part may be shown.
            if at - length < hidden {
                let shown = if run > 0 { at.saturating_sub(hidden) } else { 0 };
                plain.hidden = plain.hidden.max(plain.text.len() - shown.min(plain.text.len()));
            }
        }
        plain.hidden = plain.hidden.min(plain.text.len());
        while !plain.text.is_char_boundary(plain.hidden) {
            plain.hidden += 1;
        }
        plain
    }

    /// Takes the control character that `rest` begins with, and the sequence that it introduces; the bytes of them.
    fn control(&mut self, rest: &str) -> usize {
        let Some(first) = rest.chars().next() else { return 0 };
        match first {
            '\r' => self.returned = true,
            '\u{8}' => self.back += 1,
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' => self.end_line(),
            ESCAPE | '\u{80}'..='\u{9f}' => return sequence(rest),
            _ => {}
        }
        first.len_utf8()
    }

    fn write(&mut self, run: &str) {
        if std::mem::take(&mut self.returned) {
            self.truncate(self.line);
            self.back = 0;
        }
        for _ in 0..std::mem::take(&mut self.back) {
            if let Some((last, _)) = self.text[self.line..].char_indices().next_back() {
                self.truncate(self.line + last);
            }
        }
        self.text.push_str(run);
    }

    fn end_line(&mut self) {
        (self.returned, self.back) = (false, 0);
        self.text.push('\n');
        self.line = self.text.len();
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        self.hidden = self.hidden.min(length);
    }
}

/// The length in bytes of the escape sequence that `text` begins with (ECMA-48). One that is not whole is as long as what is
/// surely of it.
fn sequence(text: &str) -> usize {
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

/// Parameters, intermediate bytes and a final one: colours, cursor movements.
fn control_sequence(body: &[u8]) -> usize {
    let parameters = body.iter().take_while(|byte| matches!(byte, b'0'..=b'?')).count();
    let rest = &body[parameters..];
    parameters + final_byte(rest, |byte| matches!(byte, b' '..=b'/'), |byte| matches!(byte, b'@'..=b'~'))
}

fn final_byte(body: &[u8], intermediate: impl Fn(u8) -> bool, last: impl Fn(u8) -> bool) -> usize {
    let between = body.iter().take_while(|byte| intermediate(**byte)).count();
    between + usize::from(body.get(between).is_some_and(|byte| last(*byte)))
}

/// A string (a title, the target of a link) with its end. Without an end in the same line it is text, so this is 0.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_left_out() {
        for (text, expected) in [
            ("\u{1b}[31;1mtests failed\u{1b}[0m", "tests failed"),
            ("\u{1b}[38:2::255:0:0mred\u{1b}[m", "red"),
            ("\u{1b}[2K\u{1b}[1A\u{1b}[?25lx\u{1b}[?25h", "x"),
            ("\u{1b}]0;a title\u{7}x", "x"),
            ("\u{1b}]8;;https://x.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bx\u{1b}=\u{1b}>\u{1b}c\u{1b}7y\u{1b}8", "xy"),
            ("\u{1b}P1$r0m\u{1b}\\x\u{1b}_app\u{1b}\\y\u{1b}^pm\u{1b}\\z", "xyz"),
            ("\u{9b}31mred\u{9b}0m \u{9d}0;title\u{9c}x", "red x"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[31", "a"),
            ("a\u{1b}[31ü", "aü"),
            ("\u{1b}\u{1b}[1mx", "x"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_unended_string_takes_no_text_along() {
        assert_eq!(plain("\u{1b}]0;title\nan error\u{7}"), "0;title\nan error");
        assert_eq!(plain("\u{1b}]0;a\u{1b}[1mb\u{7}c"), "0;abc");
    }

    #[test]
    fn control_characters_are_left_out_but_for_tab_and_line_feed() {
        assert_eq!(plain("a\0b\u{7}c\td\n\u{7f}e\u{1}"), "abc\td\ne");
        assert_eq!(plain("one\u{c}two\u{b}three\u{85}four"), "one\ntwo\nthree\nfour");
        assert!(matches!(plain("plain\ttext\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn of_a_line_with_carriage_returns_the_last_part_stays() {
        for (text, expected) in [
            ("\rprogress 10%\rprogress 50%\rprogress 100%\n", "progress 100%\n"),
            ("progress 100%\r", "progress 100%"),
            ("one\r\ntwo\r\r\nthree", "one\ntwo\nthree"),
            ("10%\r\u{1b}[K20%\r\u{1b}[K", "20%"),
            ("before\n1%\r2%\nafter", "before\n2%\nafter"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_backspace_takes_a_character_back() {
        assert_eq!(plain("|\u{8}/\u{8}-\u{8}done"), "done");
        assert_eq!(plain("N\u{8}NA\u{8}AM\u{8}ME\u{8}E"), "NAME");
        assert_eq!(plain("10%\u{8}\u{8}\u{8}20%\u{8}\u{8}\u{8}\nx"), "20%\nx");
        assert_eq!(plain("a\n\u{8}\u{8}ü\u{8}b"), "a\nb");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_controls_or_replaced() {
        assert_eq!(plain(&decoded(b"\x9b31mred\x9b0m caf\xe9 \x9d0;t\x9cx")), "red caf\u{fffd} x");
        assert_eq!(decoded("ünï€".as_bytes()), "ünï€");
    }

    #[test]
    fn what_is_hidden_stays_hidden_unless_its_line_begins_anew() {
        let shown = |text: &str, hidden, unknown| {
            let plain = Plain::of(text, hidden, unknown);
            plain.text[plain.hidden..].to_owned()
        };
        assert_eq!(shown("abcdef", 3, 0), "def");
        assert_eq!(shown("abcdef", 3, 4), "ef");
        assert_eq!(shown("ab\u{1b}[31mcdef", 4, 0), "cdef");
        assert_eq!(shown("ab\u{1b}[31mcdef", 8, 0), "def");
        assert_eq!(shown("abcdef\rxyz", 3, 100), "xyz");
        assert_eq!(shown("ab\ncdef\rxyz", 5, 2), "xyz");
        assert_eq!(shown("aü", 2, 0), "");
    }

    proptest! {
        #[test]
        fn any_text_becomes_plain(pieces in prop::collection::vec(
            prop_oneof!["\\PC{0,4}", "[\u{0}-\u{1f}\u{7f}-\u{9f}]{1,3}", "\u{1b}[\\]\\[PX(0-9;m]{1,4}"], 0..12,
        )) {
            let text = pieces.concat();
            let once = plain(&text).into_owned();
            prop_assert!(once.chars().all(is_plain), "{once:?}");
            prop_assert_eq!(&plain(&once), &once);
            for hidden in 0..=text.len() {
                let part = Plain::of(&text, hidden, 0);
                prop_assert_eq!(&part.text, &once);
                prop_assert!(part.text.is_char_boundary(part.hidden));
            }
        }
    }
}
