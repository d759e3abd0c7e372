//! `{Config:Key}`: CodePipeline's form for the value of `Key` in the action's configuration.
//!
//! CodePipeline fills the form into the URL templates of a custom action type (User Guide, "Create a custom action"). The worker
//! fills it into what an operator configures. Commands use braces for other things: `${x}`, `{}`, `{a,b}`, `{"a":1}`. These stay
//! as they are. A misspelt placeholder, such as `{config:Key}`, is a mistake.

mod brace;
mod missing;
mod mistake;
#[cfg(test)]
mod tests;

use crate::job::Configuration;
use brace::{OPENING, brace_at};

pub use missing::{MissingKey, Parameters};
pub use mistake::PlaceholderError;

/// A parsed text with placeholders. It does not derive `Debug`, because an operator's text may be confidential.
#[derive(Clone)]
pub struct Template(Vec<Piece>);

#[derive(Clone)]
enum Piece {
    Text(String),
    Value(String),
}

impl Template {
    /// Parses `text`. `{Config:` begins a placeholder. Other braces stay as they are, unless they look like a placeholder.
    ///
    /// # Errors
    /// Returns the first mistake that [`Template::parse_all`] finds.
    pub fn parse(text: &str) -> Result<Self, PlaceholderError> {
        // An error has at least one mistake.
        Self::parse_all(text).map_err(|mut mistakes| mistakes.swap_remove(0))
    }

    /// Parses `text` and finds every mistake in it.
    ///
    /// # Errors
    /// Returns an error for each placeholder that is not closed, is misspelt, or has a key that is empty, padded or longer than 50
    /// characters.
    pub fn parse_all(text: &str) -> Result<Self, Vec<PlaceholderError>> {
        let (mut pieces, mut mistakes) = (Vec::new(), Vec::new());
        // The pieces hold the text before `done`. The search for braces continues at `next`.
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

    /// The original text, if it has no placeholder.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills in the values. A placeholder inside a value is not filled in.
    ///
    /// # Errors
    /// Returns an error if `configuration` lacks a key.
    pub fn render(&self, configuration: &Configuration) -> Result<String, MissingKey> {
        let values = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.as_str()),
            Piece::Value(key) => configuration.get(key).ok_or_else(|| MissingKey::of(key, configuration)),
        });
        values.collect()
    }
}
