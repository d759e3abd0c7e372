//! Mistakes that show before a run.

use std::fmt;

/// A mistake in the command, the pipeline or a buildspec. A run does not start with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The mistake and what to change, with the flag.
    pub(super) text: String,
    /// The flag to add, if that is all.
    pub(super) flag: Option<Flag>,
}

/// A flag to add to the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    /// The flag with its value.
    pub(super) add: String,
    /// Other flags that do instead.
    pub(super) or: Option<String>,
}

impl Flag {
    /// A flag without an alternative.
    pub(super) fn new(add: impl Into<String>) -> Self {
        Self { add: add.into(), or: None }
    }

    /// The same flag with an alternative.
    pub(super) fn or(self, or: impl Into<String>) -> Self {
        Self { or: Some(or.into()), ..self }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.or {
            Some(or) => write!(f, "{} (or {or})", self.add),
            None => f.write_str(&self.add),
        }
    }
}

impl Mistake {
    /// A mistake that no more flag ends.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), flag: None }
    }

    /// A flag that is missing.
    pub(super) fn missing(what: &str, flag: Flag) -> Self {
        Self { text: format!("{what}; add {flag}"), flag: Some(flag) }
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
