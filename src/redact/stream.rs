//! Redacts a text that comes piece by piece, in bounded memory. The pieces may divide secrets, escape sequences and characters.

use std::borrow::Cow;

use super::needles::merged;
use super::plain::{Plain, decoded};
use super::{Around, MASK, Redactor};

/// A text that comes piece by piece. The shown pieces together equal the whole text after [`Redactor::redact`].
///
/// It shows a line when the line has ended, because a carriage return may replace the line. It shows the beginning of a very long
/// line before that. It holds back text that may be the beginning of a secret until the secret ends or turns out to be another text.
pub struct RedactedStream<'r> {
    redactor: &'r Redactor,
    /// The first bytes of a character.
    undecoded: Vec<u8>,
    /// The beginning of an escape sequence.
    open: String,
    /// The text that was not shown yet.
    plain: Plain,
    /// The last character before it.
    before: Option<char>,
    /// The secret that it begins inside.
    inside: Option<Inside>,
    /// How much settled text there was at the last look.
    seen: usize,
}

/// The rest of a secret whose beginning was dropped.
struct Inside {
    length: usize,
    /// Whether its mask was shown.
    is_shown: bool,
}

/// The continuation of the text so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    Nothing,
    Unknown,
}

impl<'r> RedactedStream<'r> {
    /// A stream from the beginning of a text.
    pub fn new(redactor: &'r Redactor) -> Self {
        let (undecoded, open, plain) = (Vec::new(), String::new(), Plain::default());
        Self { redactor, undecoded, open, plain, before: None, inside: None, seen: 0 }
    }

    /// A stream from the middle of a text. Leaves out text that may belong to a secret that began before.
    pub fn after_cut(redactor: &'r Redactor) -> Self {
        let plain = Plain::hiding(redactor.longest_form());
        Self { plain, ..Self::new(redactor) }
    }

    /// Shows none of the text so far. It only reveals secrets that begin there.
    pub fn hide(&mut self) {
        self.plain.hide();
    }

    /// Adds the next bytes, and appends to `shown` what they settle.
    pub fn push(&mut self, bytes: &[u8], shown: &mut String) {
        let joined;
        let bytes = if self.undecoded.is_empty() {
            bytes
        } else {
            self.undecoded.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.undecoded);
            &joined
        };
        let (whole, rest) = bytes.split_at(whole_characters(bytes));
        self.undecoded.extend_from_slice(rest);
        self.add(&std::str::from_utf8(whole).map_or_else(|_| decoded(whole).into(), Cow::Borrowed));
        self.show(Next::More, shown);
    }

    /// Ends the text, and appends the rest to `shown`.
    pub fn finish(mut self, shown: &mut String) {
        self.close();
        self.show(Next::Nothing, shown);
    }

    /// Ends the stream where the text continues unseen. Leaves out text that may belong to a secret that ends there, and incomplete
    /// characters and escape sequences, because such a secret may contain them.
    pub fn cut(mut self, shown: &mut String) {
        self.plain.erase();
        self.show(Next::Unknown, shown);
    }

    fn add(&mut self, text: &str) {
        let joined;
        let text = if self.open.is_empty() {
            text
        } else {
            self.open.push_str(text);
            joined = std::mem::take(&mut self.open);
            &joined
        };
        let added = self.plain.add(text);
        self.open.push_str(&text[added..]);
    }

    /// Takes what waited for more text.
    fn close(&mut self) {
        let rest = decoded(&std::mem::take(&mut self.undecoded));
        self.add(&rest);
        let rest = std::mem::take(&mut self.open);
        self.plain.add_last(&rest);
    }

    /// Appends to `shown` the text that `next` can't change, and drops it.
    fn show(&mut self, next: Next, shown: &mut String) {
        let end = if next == Next::More { self.plain.settled() } else { self.plain.text.len() };
        if next == Next::More && end == self.seen {
            return;
        }
        let text = &self.plain.text[..end];
        let continues = next != Next::Nothing;
        let end = if continues { self.redactor.unfinished(text) } else { end };
        let mut secrets = self.redactor.found(text, Around { before: self.before, continues });
        if let Some(inside) = &self.inside {
            secrets.push(0..inside.length);
            secrets = merged(secrets);
        }
        let mut from = self.plain.hidden.min(end);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let mut inside = None;
        for secret in secrets.iter().take_while(|secret| secret.start < end) {
            let mut is_shown = secret.start == 0 && self.inside.as_ref().is_some_and(|inside| inside.is_shown);
            if secret.end > from && from < end {
                shown.push_str(&text[from..secret.start.max(from)]);
                if !is_shown {
                    shown.push_str(MASK);
                    is_shown = true;
                }
                from = secret.end.min(end);
            }
            inside = (secret.end > end).then(|| Inside { length: secret.end - end, is_shown });
        }
        shown.push_str(&text[from..end]);
        self.before = text[..end].chars().next_back().or(self.before);
        if end > 0 {
            self.inside = inside;
        }
        self.plain.drop_start(end);
        self.seen = self.plain.settled();
    }
}

/// The length of `bytes` without an incomplete character at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    let first = (last..bytes.len()).rev().find(|&at| bytes[at] >= 0xc0);
    let is_incomplete = |at: &usize| {
        std::str::from_utf8(&bytes[*at..]).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    first.filter(is_incomplete).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests;
