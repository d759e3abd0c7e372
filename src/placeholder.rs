//! `{Config:Key}`: CodePipeline's own form for "the value that the action's configuration has for `Key`".
//!
//! CodePipeline fills the form into the URL templates of a custom action type (User Guide, "Create a custom action"); the
//! worker fills it into what an operator configures. A command is full of braces with other meanings: `${x}`, `{}`, `{a,b}`,
//! `{"a":1}`. They stand for themselves, but an attempt at the form that misses it (`{config:Key}`) is a mistake.

use strsim::osa_distance;
use thiserror::Error;

use crate::job::Configuration;

mod missing;

pub use missing::{MissingKey, Parameters};

const OPENING: &str = "{Config:";
/// CodePipeline's limit for the key of an action's configuration (API model, `ActionConfigurationKey`).
const MAX_KEY_CHARS: usize = 50;

/// Names that stand for `Config` in an attempt at a placeholder, in lower case. Those with one wrong letter count as well.
const ATTEMPTS: [&str; 3] = ["config", "configs", "configuration"];

/// A text with placeholders, parsed. It does not derive `Debug`: an operator's text may hold what others may not read.
#[derive(Clone)]
pub struct Template(Vec<Piece>);

#[derive(Clone)]
enum Piece {
    Text(String),
    Value(String),
}

/// Why a text is not a [`Template`]. Positions count characters, from 1. The text itself is not repeated.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlaceholderError {
    /// `{Config:` without its closing brace, or with another opening brace before it.
    #[error("the placeholder `{{Config:` at character {position} has no closing `}}`; write it as `{{Config:Key}}`")]
    Unclosed {
        /// Where the placeholder begins.
        position: usize,
    },
    /// `{Config:}`.
    #[error("the placeholder `{{Config:}}` at character {position} names no key; write it as `{{Config:Key}}`")]
    EmptyKey {
        /// Where the placeholder begins.
        position: usize,
    },
    /// A key that no configuration can have.
    #[error(
        "the placeholder `{{Config:…}}` at character {position} names a key of {chars} characters; CodePipeline's keys have at most 50"
    )]
    KeyTooLong {
        /// Where the placeholder begins.
        position: usize,
        /// How long its key is.
        chars: usize,
    },
    /// `{Config: Key}`, `{Config::Key}`.
    #[error(
        "the placeholder `{{Config:…}}` at character {position} has white space or a second colon next to its key; write it as \
         `{{Config:Key}}`"
    )]
    PaddedKey {
        /// Where the placeholder begins.
        position: usize,
    },
    /// `{config:Key}`, `{Config.Key}`, `{Configuration:Key}`.
    #[error(
        "the text at character {position} looks like a placeholder, but is not spelt `{{Config:Key}}` (with this case, and a \
         colon); if it is meant literally, put its first word in quotes"
    )]
    Misspelt {
        /// Where the brace is.
        position: usize,
    },
    /// `${Config:Key}`.
    #[error(
        "the placeholder at character {position} has a `$` before it, which would stay in the text; write it as `{{Config:Key}}`"
    )]
    Dollar {
        /// Where the dollar sign is.
        position: usize,
    },
}

impl Template {
    /// Parses `text`. `{Config:` begins a placeholder. Other braces stand for themselves, unless they are an attempt at one.
    ///
    /// # Errors
    /// With the first mistake that [`Template::parse_all`] finds.
    pub fn parse(text: &str) -> Result<Self, PlaceholderError> {
        // There is at least one mistake where there is an error.
        Self::parse_all(text).map_err(|mut mistakes| mistakes.swap_remove(0))
    }

    /// Parses `text`, and finds every mistake in it.
    ///
    /// # Errors
    /// For each placeholder that isn't closed, is misspelt, or has a key that is empty, padded or longer than 50 characters.
    pub fn parse_all(text: &str) -> Result<Self, Vec<PlaceholderError>> {
        let (mut pieces, mut mistakes) = (Vec::new(), Vec::new());
        // What comes before `text[done..]` is in the pieces; braces are looked for from `next`.
        let (mut done, mut next) = (0, 0);
        while let Some(brace) = text[next..].find('{').map(|found| next + found) {
            let position = text[..brace].chars().count() + 1;
            next = brace + 1;
            match brace_at(text, brace, position) {
                Ok(None) => {}
                Ok(Some(key)) => {
                    if brace > done {
                        pieces.push(Piece::Text(text[done..brace].to_owned()));
                    }
                    pieces.push(Piece::Value(key.to_owned()));
                    next = brace + OPENING.len() + key.len() + 1;
                    done = next;
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if done < text.len() {
            pieces.push(Piece::Text(text[done..].to_owned()));
        }
        if mistakes.is_empty() { Ok(Self(pieces)) } else { Err(mistakes) }
    }

    /// The keys that the text names, in its order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(key) => Some(key.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text as it was written, where it has no placeholder in it.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with the values filled in. A value is taken as it is: a placeholder inside it stays one.
    ///
    /// # Errors
    /// When `configuration` lacks a key.
    pub fn render(&self, configuration: &Configuration) -> Result<String, MissingKey> {
        let values = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.as_str()),
            Piece::Value(key) => configuration.get(key).ok_or_else(|| MissingKey::of(key, configuration)),
        });
        values.collect()
    }
}

/// The key of the placeholder that the brace at `brace` begins; `None` for a brace that stands for itself.
fn brace_at(text: &str, brace: usize, position: usize) -> Result<Option<&str>, PlaceholderError> {
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
    // A second opening brace means that the closing one was forgotten, not that a key has a brace in it.
    let end = after.find(['{', '}']).filter(|&end| after[end..].starts_with('}'));
    let key = &after[..end.ok_or(PlaceholderError::Unclosed { position })?];
    match key.chars().count() {
        0 => Err(PlaceholderError::EmptyKey { position }),
        chars if chars > MAX_KEY_CHARS => Err(PlaceholderError::KeyTooLong { position, chars }),
        _ if key.trim() != key || key.starts_with(':') => Err(PlaceholderError::PaddedKey { position }),
        _ => Ok(key),
    }
}

/// Whether what follows `${` is an attempt. In a shell, `${Config:-x}` and `${Config:0:3}` have a meaning of their own.
fn is_dollar_attempt(inside: &str) -> bool {
    let (word, rest) = first_word(inside);
    stands_for_config(word)
        && rest.strip_prefix(':').is_some_and(|key| key.starts_with(|c: char| c == '}' || c.is_alphabetic()))
}

/// Whether what follows `{`, which is not the exact form, is an attempt: a name like `Config`, a colon, a plain key, `}`.
/// After exactly `Config`, other separators count as well. JSON has quotes there, brace expansion a comma.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn configuration() -> Configuration {
        [("Url", "https://example.com"), ("Über key", "ü"), ("Nested", "{Config:Url}")].into_iter().collect()
    }

    fn render(text: &str) -> String {
        Template::parse(text).ok().unwrap().render(&configuration()).unwrap()
    }

    #[test]
    fn placeholders_become_values_wherever_they_stand() {
        assert_eq!(render("{Config:Url}"), "https://example.com");
        assert_eq!(render("a {Config:Url}{Config:Über key} b"), "a https://example.comü b");
    }

    #[test]
    fn other_braces_stand_for_themselves() {
        for text in [
            "",
            "{}",
            "}{",
            "${x}",
            "{a,b}",
            "{Foo:Bar}",
            "{Config",
            "{Config}",
            "{config}",
            "{Config,Release}",
            "{ConfigMap: x}",
            // Shells, with a variable of this name.
            "${Config}",
            "${CONFIG:-release}",
            "${Config:-release}",
            "${config:?is not set}",
            "${config:0:3}",
            "${CONFIG_URL}",
            // JSON, jq, JavaScript, Python, Jinja, Go templates, PromQL, awk.
            r#"{"config":{"Config":1}}"#,
            "{config: .name}",
            "{config: $x}",
            "{config:[1]}",
            "{config: a, b: c}",
            "{conf:x}",
            "{config.name}",
            "{config!r:>10}",
            "{{ config.name }}",
            "{{ .Config.Name }}",
            r#"{config="x"}"#,
            "{ print $1 }",
        ] {
            assert_eq!(render(text), text);
        }
        assert_eq!(render("{{Config:Url}}"), "{https://example.com}");
        assert_eq!(render(r#"{"a":{Config:Url}}"#), r#"{"a":https://example.com}"#);
    }

    #[test]
    fn attempts_at_a_placeholder_are_mistakes() {
        let first = |text: &str| Template::parse(&format!("ü {text} x")).err();
        for text in [
            "{config:Command}",
            "{CONFIG:Command}",
            "{ Config:Command }",
            "{Config :Command}",
            "{config: Command}",
            "{Configuration:X}",
            "{configuration:Über key}",
            "{Configs:X}",
            "{Confg:Command}",
            "{Conifg:Command}",
            "{Config.Command}",
            "{Config/Command}",
            "{Config=Command}",
            "{Config-Command}",
        ] {
            assert_eq!(first(text), Some(PlaceholderError::Misspelt { position: 3 }), "{text}");
        }
        for text in ["{Config: Command}", "{Config:Command }", "{Config::Command}"] {
            assert_eq!(first(text), Some(PlaceholderError::PaddedKey { position: 3 }), "{text}");
        }
        for text in ["${Config:Command}", "${config:Command}", "${Configuration:X}", "${Config:}"] {
            assert_eq!(first(text), Some(PlaceholderError::Dollar { position: 3 }), "{text}");
        }
    }

    #[test]
    fn every_mistake_of_a_text_is_found() {
        let mistakes = Template::parse_all("{config:A} {Config:Url} {Config:} ${Config:B}").err();
        let expected = [
            PlaceholderError::Misspelt { position: 1 },
            PlaceholderError::EmptyKey { position: 25 },
            PlaceholderError::Dollar { position: 35 },
        ];
        assert_eq!(mistakes.as_deref(), Some(expected.as_slice()));
    }

    #[test]
    fn a_value_is_not_read_again() {
        assert_eq!(render("{Config:Nested}"), "{Config:Url}");
    }

    #[test]
    fn malformed_placeholders_are_refused_with_their_place() {
        let mistake = |text: &str| Template::parse(text).err().unwrap();
        assert_eq!(mistake("ü{Config:"), PlaceholderError::Unclosed { position: 2 });
        assert_eq!(mistake("{Config:A {Config:B}"), PlaceholderError::Unclosed { position: 1 });
        assert_eq!(mistake("{Config:Url} {Config:}"), PlaceholderError::EmptyKey { position: 14 });
        let long = format!("{{Config:{}}}", "ü".repeat(51));
        assert_eq!(mistake(&long), PlaceholderError::KeyTooLong { position: 1, chars: 51 });
        assert!(Template::parse(&format!("{{Config:{}}}", "ü".repeat(50))).is_ok());
    }

    #[test]
    fn a_mistake_says_what_to_write_and_repeats_nothing() {
        let message = Template::parse("hunter2 {Config:hunter2").err().unwrap().to_string();
        assert_eq!(message, "the placeholder `{Config:` at character 9 has no closing `}`; write it as `{Config:Key}`");
    }

    #[test]
    fn a_missing_key_is_named() {
        let missing = Template::parse("{Config:Url} {Config:Nope}").ok().unwrap().render(&configuration()).unwrap_err();
        assert_eq!(missing.to_string(), "the action's configuration has no `Nope`");
    }

    #[test]
    fn keys_and_literal_tell_what_a_text_depends_on() {
        let template = Template::parse("x {Config:A}{Config:B} {Config:A}").ok().unwrap();
        assert_eq!(template.keys().collect::<Vec<_>>(), ["A", "B", "A"]);
        assert_eq!(template.literal(), None);
        assert_eq!(Template::parse("bash {}").ok().unwrap().literal(), Some("bash {}"));
        assert_eq!(Template::parse("").ok().unwrap().literal(), Some(""));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_as_it_is_or_refused_at_its_place_and_not_repeated(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("{Config:".to_owned()),
                    Just("}".to_owned()),
                    "\\PC{0,6}",
                    "[${}Config:ü .]{0,9}",
                    Just("long".repeat(13)),
                ],
                0..8,
            ),
        ) {
            let text = pieces.concat();
            match Template::parse(&text) {
                Ok(template) => {
                    let itself = |key: &str| (key.to_owned(), format!("{{Config:{key}}}"));
                    let configuration = template.keys().map(itself).collect();
                    prop_assert_eq!(template.render(&configuration), Ok(text));
                }
                Err(error) => {
                    let (PlaceholderError::Unclosed { position }
                    | PlaceholderError::EmptyKey { position }
                    | PlaceholderError::KeyTooLong { position, .. }
                    | PlaceholderError::PaddedKey { position }
                    | PlaceholderError::Misspelt { position }
                    | PlaceholderError::Dollar { position }) = error;
                    let rest: String = text.chars().skip(position - 1).collect();
                    prop_assert!(rest.starts_with('{') || rest.starts_with("${"), "{}", error);
                    prop_assert!(!error.to_string().contains("longlong"), "{}", error);
                }
            }
        }
    }
}
