//! Mistakes that show before a run.

use std::fmt;

/// A mistake in the command, the pipeline or a buildspec. A run does not start with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The mistake and what to change, with the flag.
    pub(super) text: String,
    /// The flag to add, if that is all.
    pub(super) flag: Option<String>,
}

impl Mistake {
    /// A mistake that no more flag ends.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), flag: None }
    }

    /// A flag that is missing.
    pub(super) fn missing(what: &str, flag: &str) -> Self {
        Self { text: format!("{what}; add {flag}"), flag: Some(flag.to_owned()) }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The problems, each on a line that names the program. The caller writes the first name.
pub(super) fn joined(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\ncodepipeline-local: ")
}
