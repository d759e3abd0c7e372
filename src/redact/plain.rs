//! Text as a person reads it: without escape sequences and control characters, and with the last state alone of a line that
//! was written several times.
//!
//! Libraries that strip escape sequences let an unended one take the rest of the text along, and leave carriage returns,
//! backspaces and 8-bit control characters to their callers.

use std::borrow::Cow;

use escape::sequence;

mod escape;

const ESCAPE: char = '\u{1b}';

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

#[cfg(test)]
mod tests;
