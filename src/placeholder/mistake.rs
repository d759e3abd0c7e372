//! Mistakes in a text with placeholders.

use thiserror::Error;

/// Why a text is not a [`Template`](super::Template). Positions count characters, from 1. The message does not repeat the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlaceholderError {
    /// `{Config:` without a closing brace, or with another opening brace before the closing one.
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
        /// The length of its key.
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
