//! Masks secrets in prose that leaves the worker. Finds secrets in data, which is never altered.
//!
//! Prose passes three steps in this order:
//! 1. Escape sequences and control characters are removed, because colours may divide a secret.
//! 2. Secrets are masked.
//! 3. The text is cut. An earlier cut could divide a secret and leave half of it readable.
//!
//! [`Redactor::excerpt`] does this for a piece of a longer text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

pub use learned::Learned;

use forms::length;
use needles::Needles;
use plain::{Plain, decoded, plain};

mod forms;
mod learned;
mod needles;
mod plain;
mod stream;

pub use stream::RedactedStream;

/// Replaces a secret. CodePipeline masks secret configuration values in the same way.
const MASK: &str = "****";

/// A job fails if its data holds a secret of at least this many characters. Shorter secrets (`1`, `eu`) occur in any text.
pub const SECRET_IN_DATA: usize = 4;

/// The same for a continuation token. It is longer than other data and contains names that the worker can't choose.
pub const SECRET_IN_TOKEN: usize = 8;

/// The name of a secret, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretName {
    /// The value of this key of the action's configuration.
    Key(String),
    /// The description of a text that contains secrets. Data is searched only for the whole text, because its lines may not be
    /// secret.
    Text(&'static str),
    /// The description of another secret.
    Other(&'static str),
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "the value of the secret `{key}`"),
            Self::Text(what) | Self::Other(what) => f.write_str(what),
        }
    }
}

/// Masks a set of secrets in prose, and finds them in data.
///
/// It recognizes each secret in these forms: unchanged, escaped for JSON, percent-encoded, and in base64. It also recognizes the
/// lines of a secret: in prose those of at least four characters, in data those of at least 16 that are not a PEM boundary.
/// It does not derive `Debug`, because it holds secrets.
#[derive(Default)]
pub struct Redactor {
    secrets: Vec<(SecretName, SecretString)>,
    /// Derived at the first search. A long secret has many forms, and not every turn searches for them.
    forms: OnceLock<Forms>,
}

/// What the secrets look like in a text.
struct Forms {
    /// The forms of secrets of at least [`SECRET_IN_DATA`] characters.
    long: Needles,
    /// The forms of shorter secrets.
    short: Vec<Vec<u8>>,
}

/// A piece of a text that was cut.
#[derive(Clone, Copy)]
pub struct Piece<'t> {
    /// The known bytes.
    pub bytes: &'t [u8],
    /// The number of bytes at the beginning that are not shown. They reveal secrets that begin there and end in the shown part.
    pub hidden: usize,
    /// Whether the text continues before the piece.
    pub cut_before: bool,
    /// Whether the text continues after the piece.
    pub cut_after: bool,
}

impl<'t> Piece<'t> {
    /// A whole text.
    pub fn whole(bytes: &'t [u8]) -> Self {
        Self { bytes, hidden: 0, cut_before: false, cut_after: false }
    }
}

impl Redactor {
    /// A redactor for `secrets` without names: configuration values, credentials, tokens. Ignores empty secrets.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let unnamed = |secret: S| (SecretName::Other("a secret"), SecretString::from(secret.as_ref()));
        Self::named(secrets.into_iter().map(unnamed))
    }

    /// A redactor for `secrets` with names.
    pub fn named(secrets: impl IntoIterator<Item = (SecretName, SecretString)>) -> Self {
        Self { secrets: secrets.into_iter().collect(), forms: OnceLock::new() }
    }

    /// A redactor that knows `more` secrets.
    #[must_use]
    pub fn and(&self, more: impl IntoIterator<Item = SecretString>) -> Self {
        let more = more.into_iter().map(|secret| (SecretName::Other("a secret"), secret));
        Self::named(self.secrets.iter().cloned().chain(more))
    }

    /// Makes prose plain and replaces each secret by `****`. One mask covers occurrences that overlap. Masks a secret of less than
    /// [`SECRET_IN_DATA`] characters only if it is a separate word.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = plain(text);
        let found = self.found(&text, Around::default());
        if found.is_empty() {
            return text;
        }
        Cow::Owned(masked(&text, 0..text.len(), &found))
    }

    /// The part of a piece of prose that may be shown, redacted. At a cut, leaves out any text that may belong to a secret.
    pub fn excerpt(&self, piece: Piece<'_>) -> String {
        let longest = self.longest_form();
        let (before, after) = piece.bytes.split_at(whole_character(piece.bytes, piece.hidden));
        let before = decoded(before);
        let unknown = if piece.cut_before { longest } else { 0 };
        let Plain { text, hidden, .. } = Plain::of(&(before.clone() + &decoded(after)), before.len(), unknown);
        let end =
            if piece.cut_after { text.floor_char_boundary(text.len().saturating_sub(longest)) } else { text.len() };
        masked(&text, hidden.min(end)..end, &self.found(&text, Around::default()))
    }

    /// The name of a secret that `data` contains, in whole or one of its long lines. Searches for texts of at least `at_least`
    /// characters, and of at least [`SECRET_IN_DATA`].
    pub fn secret_in(&self, data: &str, at_least: usize) -> Option<&SecretName> {
        let plain = plain(data);
        let holds = |needles: &Needles| needles.is_in(data.as_bytes()) || needles.is_in(plain.as_bytes());
        // The forms for prose include those for data. This is the common case, and fast.
        if !holds(&self.forms().long) {
            return None;
        }
        let at_least = at_least.max(SECRET_IN_DATA);
        let forms = |name: &SecretName, value: &SecretString| {
            forms::in_data(value.expose_secret(), at_least, !matches!(name, SecretName::Text(_)))
        };
        self.secrets.iter().find(|(name, value)| holds(&Needles::new(forms(name, value)))).map(|(name, _)| name)
    }

    /// The length of the longest form of a secret in bytes, or 0 without secrets.
    pub fn longest_form(&self) -> usize {
        let Forms { long, short } = self.forms();
        short.iter().map(Vec::len).max().unwrap_or(0).max(long.longest())
    }

    fn forms(&self) -> &Forms {
        self.forms.get_or_init(|| {
            let forms_of = |long: bool| {
                let values = self.secrets.iter().map(|(_, value)| value.expose_secret());
                values.filter(move |value| (length(value) >= SECRET_IN_DATA) == long).flat_map(forms::of_secret)
            };
            let mut short: Vec<_> = forms_of(false).collect();
            short.sort_unstable();
            short.dedup();
            Forms { long: Needles::new(forms_of(true).collect()), short }
        })
    }

    /// The ranges of secrets in a plain text, in order. Merges ranges that overlap.
    fn found(&self, text: &str, around: Around) -> Vec<Range<usize>> {
        let Forms { long, short } = self.forms();
        let mut found = long.covered(text.as_bytes());
        for form in short {
            found.extend(occurrences(text.as_bytes(), form).filter(|range| around.is_word(text, range)));
        }
        needles::merged(found)
    }

    /// The first place from which on `text` may be the beginning of a secret that continues after it, or its length.
    fn unfinished(&self, text: &str) -> usize {
        let Forms { long, short } = self.forms();
        let beginning = |form: &Vec<u8>| {
            let longest = (1..=form.len()).rev().find(|&length| text.as_bytes().ends_with(&form[..length]));
            longest.map(|length| text.len() - length)
        };
        short.iter().filter_map(beginning).fold(long.unfinished(text.as_bytes()), usize::min)
    }
}

/// Every place of `form` in `text`. Places may overlap: one may be a separate word although the one before is not.
fn occurrences(text: &[u8], form: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let finder = memmem::Finder::new(form);
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + finder.find(text.get(from..)?)?;
        from = at + 1;
        Some(at..at + finder.needle().len())
    })
}

/// The known facts about the text around a text.
#[derive(Clone, Copy, Default)]
struct Around {
    /// The character before it.
    before: Option<char>,
    /// Whether unknown text follows.
    continues: bool,
}

impl Around {
    /// Whether certainly no letter, digit or `_` adjoins the range.
    fn is_word(self, text: &str, range: &Range<usize>) -> bool {
        let before = text[..range.start].chars().next_back().or(self.before);
        let after = text[range.end..].chars().next();
        let adjoins = |c: char| c.is_alphanumeric() || c == '_';
        let is_open = after.is_none() && self.continues;
        !is_open && ![before, after].into_iter().flatten().any(adjoins)
    }
}

/// The `part` of `text` with a mask for each of `secrets`, including those that begin before the part or end after it.
fn masked(text: &str, part: Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(part.len());
    let mut from = part.start;
    for secret in secrets.iter().filter(|secret| secret.start < part.end && secret.end > part.start) {
        masked.push_str(&text[from..secret.start.max(from)]);
        masked.push_str(MASK);
        from = secret.end.min(part.end);
    }
    masked.push_str(&text[from..part.end]);
    masked
}

/// The first index from `at` on that is not inside a character.
fn whole_character(bytes: &[u8], at: usize) -> usize {
    if at == 0 {
        return 0;
    }
    // A character has at most three bytes after its first. More of them are not UTF-8.
    let within = bytes[at.min(bytes.len())..].iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000);
    at.min(bytes.len()) + within.count()
}

#[cfg(test)]
mod tests;
