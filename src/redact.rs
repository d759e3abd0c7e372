//! Takes secrets out of prose that leaves the worker, and finds them in data, which is never altered.
//!
//! Prose is made plain first (without escape sequences and control characters). Then its secrets are masked, and then it is cut. So
//! a secret that colours divide is found. A cut that came first could divide a secret, and half of it would stay readable.
//! [`Redactor::excerpt`] does this for a piece of a longer text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memmem;
use secrecy::{ExposeSecret, SecretString};

use forms::length;
use needles::Needles;
use plain::{Plain, decoded, plain};

mod forms;
mod needles;
mod plain;

/// What stands where a secret was; CodePipeline masks secret configuration values the same way.
const MASK: &str = "****";

/// Data that holds a secret of so many characters fails its job. Shorter secrets (`1`, `eu`) occur in any text.
pub const SECRET_IN_DATA: usize = 4;

/// The same for a continuation token, which is longer than other data and holds names that a worker can't choose.
pub const SECRET_IN_TOKEN: usize = 8;

/// The name of a secret, for the message about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretName {
    /// The value of this key of the action's configuration.
    Key(String),
    /// A text that holds values of secrets, in words. In data only the whole of it counts, because its lines need not be secret.
    Text(&'static str),
    /// Something else, in words.
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

/// Knows some secrets, masks them in prose and finds them in data.
///
/// It knows each secret as it is, escaped for JSON, percent-encoded, and in base64; a secret of several lines also line by
/// line: in prose lines of at least four characters, in data of at least 16 that are no boundary of PEM. It does not derive `Debug`.
#[derive(Default)]
pub struct Redactor {
    secrets: Vec<(SecretName, SecretString)>,
    /// The forms of secrets of at least [`SECRET_IN_DATA`] characters.
    long: Needles,
    /// The forms of the others.
    short: Vec<Vec<u8>>,
}

/// A piece of a text that was cut.
#[derive(Clone, Copy)]
pub struct Piece<'t> {
    /// The bytes that are known.
    pub bytes: &'t [u8],
    /// How many bytes of it are not to be shown. They are known for the sake of what reaches from them into the rest.
    pub hidden: usize,
    /// Whether there was more before.
    pub cut_before: bool,
    /// Whether there was more after.
    pub cut_after: bool,
}

impl<'t> Piece<'t> {
    /// A whole text.
    pub fn whole(bytes: &'t [u8]) -> Self {
        Self { bytes, hidden: 0, cut_before: false, cut_after: false }
    }
}

impl Redactor {
    /// A redactor for `secrets` without names: configuration values, credentials, tokens. Empty ones are left out.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let unnamed = |secret: S| (SecretName::Other("a secret"), SecretString::from(secret.as_ref()));
        Self::named(secrets.into_iter().map(unnamed))
    }

    /// A redactor for `secrets` with names.
    pub fn named(secrets: impl IntoIterator<Item = (SecretName, SecretString)>) -> Self {
        let secrets: Vec<_> = secrets.into_iter().collect();
        let forms_of = |long: bool| {
            let values = secrets.iter().map(|(_, value)| value.expose_secret());
            values.filter(move |value| (length(value) >= SECRET_IN_DATA) == long).flat_map(forms::of_secret)
        };
        let long = Needles::new(forms_of(true).collect());
        let mut short: Vec<_> = forms_of(false).collect();
        short.sort_unstable();
        short.dedup();
        Self { secrets, long, short }
    }

    /// `text`, which is prose, as a person reads it and with `****` for each secret. Where occurrences overlap, one mask covers
    /// all of them. A secret of less than [`SECRET_IN_DATA`] characters is masked only where it is a word of its own.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = plain(text);
        let found = self.found(&text);
        if found.is_empty() {
            return text;
        }
        Cow::Owned(masked(&text, 0..text.len(), &found))
    }

    /// The part of a piece of prose that may be shown, redacted. Where the text was cut, nothing is shown that may be the rest of
    /// a secret.
    pub fn excerpt(&self, piece: Piece<'_>) -> String {
        let longest = self.longest_form();
        let (before, after) = piece.bytes.split_at(whole_character(piece.bytes, piece.hidden));
        let before = decoded(before);
        let unknown = if piece.cut_before { longest } else { 0 };
        let Plain { text, hidden, .. } = Plain::of(&(before.clone() + &decoded(after)), before.len(), unknown);
        let end =
            if piece.cut_after { text.floor_char_boundary(text.len().saturating_sub(longest)) } else { text.len() };
        masked(&text, hidden.min(end)..end, &self.found(&text))
    }

    /// The name of a secret that `data` holds whole or with one of its long lines. What is looked for has `at_least` so many
    /// characters, and at least [`SECRET_IN_DATA`].
    pub fn secret_in(&self, data: &str, at_least: usize) -> Option<&SecretName> {
        let plain = plain(data);
        let holds = |needles: &Needles| needles.is_in(data.as_bytes()) || needles.is_in(plain.as_bytes());
        // What is looked for in prose is all that is looked for in data, and more.
        if !holds(&self.long) {
            return None;
        }
        let at_least = at_least.max(SECRET_IN_DATA);
        let forms = |name: &SecretName, value: &SecretString| {
            forms::in_data(value.expose_secret(), at_least, !matches!(name, SecretName::Text(_)))
        };
        self.secrets.iter().find(|(name, value)| holds(&Needles::new(forms(name, value)))).map(|(name, _)| name)
    }

    /// The length in bytes of the longest form of a secret, 0 without secrets.
    pub fn longest_form(&self) -> usize {
        self.short.iter().map(Vec::len).max().unwrap_or(0).max(self.long.longest())
    }

    /// Where there are secrets in a plain text, in order; those that overlap are one.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = self.long.covered(text.as_bytes());
        for form in &self.short {
            let places = memmem::find_iter(text.as_bytes(), form).map(|at| at..at + form.len());
            found.extend(places.filter(|place| is_word(text, place)));
        }
        needles::merged(found)
    }
}

/// Whether neither a letter, a digit nor `_` adjoins the place.
fn is_word(text: &str, place: &Range<usize>) -> bool {
    let (before, after) = (text[..place.start].chars().next_back(), text[place.end..].chars().next());
    ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
}

/// The `part` of `text` with a mask for each of `secrets`, those that reach into the part included.
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

/// The first place from `at` on that is not within a character.
fn whole_character(bytes: &[u8], at: usize) -> usize {
    if at == 0 {
        return 0;
    }
    // A character has at most three bytes after its first; more of them are no UTF-8, and nothing is split.
    let within = bytes[at.min(bytes.len())..].iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000);
    at.min(bytes.len()) + within.count()
}

#[cfg(test)]
mod tests;
