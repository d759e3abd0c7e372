//! `{Config:Key}`: CodePipeline's own form for "the value that the action's configuration has for `Key`".
//!
//! CodePipeline fills the form into the URL templates of a custom action type (User Guide, "Create a custom action"); the
//! worker fills it into what an operator configures. Nothing else in braces means anything: a command is full of `${x}`,
//! `{}` and `{a,b}` of its own.

use thiserror::Error;

use crate::job::Configuration;

const OPENING: &str = "{Config:";
/// CodePipeline's limit for the key of an action's configuration (API model, `ActionConfigurationKey`).
const MAX_KEY_CHARS: usize = 50;

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
}

/// The configuration of a job lacks a key that a [`Template`] names.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the action's configuration has no `{0}`")]
pub struct MissingKey(pub String);

impl Template {
    /// Parses `text`. Only `{Config:` begins a placeholder (case matters); every other brace stands for itself.
    ///
    /// # Errors
    /// When a placeholder isn't closed, or its key is empty or longer than 50 characters.
    pub fn parse(text: &str) -> Result<Self, PlaceholderError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(OPENING) {
            let position = text[..text.len() - rest.len() + start].chars().count() + 1;
            let after = &rest[start + OPENING.len()..];
            // A second opening brace means that the closing one was forgotten, not that a key has a brace in it.
            let end = after.find(['{', '}']).filter(|&end| after[end..].starts_with('}'));
            let key = &after[..end.ok_or(PlaceholderError::Unclosed { position })?];
            match key.chars().count() {
                0 => return Err(PlaceholderError::EmptyKey { position }),
                chars if chars > MAX_KEY_CHARS => return Err(PlaceholderError::KeyTooLong { position, chars }),
                _ => {}
            }
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].to_owned()));
            }
            pieces.push(Piece::Value(key.to_owned()));
            rest = &after[key.len() + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
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
            Piece::Value(key) => configuration.get(key).ok_or_else(|| MissingKey(key.clone())),
        });
        values.collect()
    }
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
        for text in ["", "{}", "${x}", "{a,b}", "{Foo:Bar}", "{config:Url}", "{ Config:Url}", "}{", "{Config"] {
            assert_eq!(render(text), text);
        }
        assert_eq!(render("{{Config:Url}}"), "{https://example.com}");
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
                    "[{}Config:ü]{0,9}",
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
                    | PlaceholderError::KeyTooLong { position, .. }) = error;
                    let rest: String = text.chars().skip(position - 1).collect();
                    prop_assert!(rest.starts_with(OPENING), "{}", error);
                    prop_assert!(!error.to_string().contains("longlong"), "{}", error);
                }
            }
        }
    }
}
