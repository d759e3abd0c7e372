//! Plain text, as a person reads it on a terminal: without escape sequences and control characters. Of a line that was overwritten,
//! only the last state stays.
//!
//! Libraries that strip escape sequences drop the text after an unterminated one. They also ignore carriage returns, backspaces and
//! 8-bit control characters.

use std::borrow::Cow;

use escape::{Sequence, sequence};

mod escape;

const ESCAPE: char = '\u{1b}';

/// The longest part of a line that a carriage return or a backspace can still change. It bounds what a stream must keep.
const LONGEST_LINE: usize = 64 * 1024;
/// The longest escape sequence that a stream waits for. The text of a longer one is shown.
const LONGEST_SEQUENCE: usize = 4096;

/// A plain text, and the length of its hidden beginning.
#[derive(Default)]
pub(super) struct Plain {
    pub(super) text: String,
    pub(super) hidden: usize,
    /// The start of the current line.
    line: usize,
    /// Whether the last character was a carriage return. The next text replaces the line.
    returned: bool,
    /// The number of backspaces. The next text replaces as many characters.
    back: usize,
}

/// Removes escape sequences, and control characters except tab and line feed. Of a line with carriage returns, the last part stays.
/// A backspace removes the character before it, and a form feed ends a line.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Plain::of(text, 0, 0).text)
}

/// Decodes UTF-8. A byte that is not UTF-8 becomes an 8-bit control character or `�`.
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

/// The length of the text before the first line feed or other control character.
fn run_length(text: &str) -> usize {
    text.find(|c: char| !is_plain(c) || c == '\n').unwrap_or(text.len())
}

/// Whether the text is the beginning of an escape sequence.
fn is_open(text: &str) -> bool {
    text.starts_with(|c| matches!(c, ESCAPE | '\u{80}'..='\u{9f}')) && matches!(sequence(text), Sequence::Open(_))
}

impl Plain {
    /// A text whose first `length` bytes are hidden.
    pub(super) fn hiding(length: usize) -> Self {
        Self { hidden: length, ..Self::default() }
    }

    /// Makes `text` plain. Hides its first `hidden` bytes, and the first `unknown` bytes of the plain text, because the text before
    /// them is unknown. Text that overwrites a line is not hidden.
    pub(super) fn of(text: &str, hidden: usize, unknown: usize) -> Self {
        let mut plain = Self { text: String::with_capacity(text.len()), ..Self::hiding(unknown) };
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let run = run_length(rest);
            let length = if run > 0 {
                plain.write(&rest[..run]);
                run
            } else {
                plain.control(rest)
            };
            at += length;
            // A run may begin in the hidden part and end in the shown part.
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

    /// Adds text that follows. Returns the length of what it added: the rest is the beginning of an escape sequence, and comes again
    /// with the text after it.
    pub(super) fn add(&mut self, text: &str) -> usize {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let run = run_length(rest);
            if run > 0 {
                self.write(&rest[..run]);
                at += run;
            } else if is_open(rest) && rest.len() < LONGEST_SEQUENCE {
                break;
            } else {
                at += self.control(rest);
            }
        }
        at
    }

    /// Adds the end of the text.
    pub(super) fn add_last(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let added = self.add(rest);
            rest = &rest[added..];
            rest = &rest[self.control(rest)..];
        }
    }

    /// The text that can't change any more: all but the present line.
    pub(super) fn settled(&self) -> usize {
        self.line
    }

    /// Hides the text so far.
    pub(super) fn hide(&mut self) {
        self.hidden = self.hidden.max(self.text.len());
    }

    /// Drops the first `length` bytes of the text, which the caller has used.
    pub(super) fn drop_start(&mut self, length: usize) {
        self.text.drain(..length);
        self.hidden = self.hidden.saturating_sub(length);
        self.line = self.line.saturating_sub(length);
    }

    /// Removes the characters that backspaces have marked.
    pub(super) fn erase(&mut self) {
        for _ in 0..std::mem::take(&mut self.back) {
            if let Some((last, _)) = self.text[self.line..].char_indices().next_back() {
                self.truncate(self.line + last);
            }
        }
    }

    /// Handles the control character or escape sequence at the beginning of `rest`. Returns its length in bytes.
    fn control(&mut self, rest: &str) -> usize {
        let Some(first) = rest.chars().next() else { return 0 };
        match first {
            '\r' => self.returned = true,
            '\u{8}' => self.back += 1,
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' => self.end_line(),
            ESCAPE | '\u{80}'..='\u{9f}' => match sequence(rest) {
                Sequence::Whole(length) | Sequence::Open(length) => return length,
            },
            _ => {}
        }
        first.len_utf8()
    }

    fn write(&mut self, run: &str) {
        if std::mem::take(&mut self.returned) {
            self.truncate(self.line);
            self.back = 0;
        }
        self.erase();
        self.text.push_str(run);
        while self.text.len() - self.line > LONGEST_LINE {
            self.line = self.text.floor_char_boundary(self.line + LONGEST_LINE);
        }
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
