//! An opening brace: it begins a placeholder, a misspelt placeholder or other text.

use strsim::osa_distance;

use super::PlaceholderError;

pub(super) const OPENING: &str = "{Config:";
/// CodePipeline's limit for the key of an action's configuration (API model, `ActionConfigurationKey`).
const MAX_KEY_CHARS: usize = 50;

/// Words that mean `Config` in a misspelt placeholder, in lower case. A word with one wrong letter counts as well.
const ATTEMPTS: [&str; 3] = ["config", "configs", "configuration"];

/// Returns the key of the placeholder that begins at `brace`, or `None` if the brace is plain text.
pub(super) fn brace_at(text: &str, brace: usize, position: usize) -> Result<Option<&str>, PlaceholderError> {
    let inside = &text[brace + 1..];
    if text[..brace].ends_with('$') {
        return if is_dollar_attempt(inside) {
            Err(PlaceholderError::Dollar { position: position - 1 })
        } else {
            Ok(None)
        };
    }
    match inside.strip_prefix(&OPENING[1..]) {
        Some(after) => key(after, position).map(Some),
        None if is_attempt(inside) => Err(PlaceholderError::Misspelt { position }),
        None => Ok(None),
    }
}

fn key(after: &str, position: usize) -> Result<&str, PlaceholderError> {
    // Before a second opening brace the closing brace is missing: a key has no brace.
    let end = after.find(['{', '}']).filter(|&end| after[end..].starts_with('}'));
    let key = &after[..end.ok_or(PlaceholderError::Unclosed { position })?];
    match key.chars().count() {
        0 => Err(PlaceholderError::EmptyKey { position }),
        chars if chars > MAX_KEY_CHARS => Err(PlaceholderError::KeyTooLong { position, chars }),
        _ if key.trim() != key || key.starts_with(':') => Err(PlaceholderError::PaddedKey { position }),
        _ => Ok(key),
    }
}

/// Returns true if the text after `${` looks like a placeholder. `${Config:-x}` and `${Config:0:3}` do not: shells use them.
fn is_dollar_attempt(inside: &str) -> bool {
    let (word, rest) = first_word(inside);
    stands_for_config(word)
        && rest.strip_prefix(':').is_some_and(|key| key.starts_with(|c: char| c == '}' || c.is_alphabetic()))
}

/// Returns true if the text after `{` looks like a misspelt placeholder: a word like `Config`, a colon, a plain key and `}`. After
/// exactly `Config`, other separators count as well. JSON has quotes in this place, and brace expansion a comma.
fn is_attempt(inside: &str) -> bool {
    let Some(inside) = inside.find(['{', '}']).filter(|&end| inside[end..].starts_with('}')).map(|end| &inside[..end])
    else {
        return false;
    };
    let (word, rest) = first_word(inside.trim());
    let mut rest = rest.trim_start().chars();
    let separates = match rest.next() {
        Some(':') => stands_for_config(word),
        Some('.' | '=' | '/' | '-') => word == "Config" || word == "Configuration",
        _ => false,
    };
    let key = rest.as_str().trim();
    let plain = |c: char| c.is_alphanumeric() || " _-.".contains(c);
    separates && key.starts_with(char::is_alphabetic) && key.chars().all(plain)
}

fn stands_for_config(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ATTEMPTS.contains(&word.as_str()) || osa_distance(&word, ATTEMPTS[0]) == 1
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()))
}
